"""What a node writes into its journal, as values and as bytes: one JSON object per record.

A call is `call`, then any number of `answer`s, then exactly one `ended`, in that order and mixed with the
records of other calls. The builders and the parser are here side by side so that they cannot drift apart.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

GRADE_QUESTION = "grade"


class UnreadableRecord(ValueError):
    """A whole record that is none of the kinds below; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call was answered. `id` is fixed here, before anything is stored; `caller` is ciphertext, never a number."""

    id: str
    call_id: str
    node: str
    flow: str
    flow_version: str
    language: str
    started_at: datetime
    answered_at: datetime
    match: str
    contact: str | None = None
    caller: bytes | None = None
    trunk: str | None = None

    def payload(self) -> bytes:
        """The record as one line of JSON without its line end."""
        return _dump(
            kind="call",
            id=self.id,
            call_id=self.call_id,
            node=self.node,
            flow=self.flow,
            flow_version=self.flow_version,
            language=self.language,
            started_at=_write_time(self.started_at),
            answered_at=_write_time(self.answered_at),
            match=self.match,
            contact=self.contact,
            caller=None if self.caller is None else base64.b64encode(self.caller).decode("ascii"),
            trunk=self.trunk,
        )


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """One answer the caller gave. A later answer to the same question replaces it (press * to change)."""

    id: str
    question: str
    answer: str
    key: str
    at: datetime
    evidence: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def payload(self) -> bytes:
        """The record as one line of JSON without its line end."""
        return _dump(
            kind="answer",
            id=self.id,
            question=self.question,
            answer=self.answer,
            key=self.key,
            at=_write_time(self.at),
            evidence=dict(self.evidence),
        )


@dataclass(frozen=True, slots=True)
class EndedRecord:
    """The call is over and has its one outcome."""

    id: str
    ended_at: datetime
    ended_by: str
    outcome: str
    attempts: int

    def payload(self) -> bytes:
        """The record as one line of JSON without its line end."""
        return _dump(
            kind="ended",
            id=self.id,
            ended_at=_write_time(self.ended_at),
            ended_by=self.ended_by,
            outcome=self.outcome,
            attempts=self.attempts,
        )


Record = CallRecord | AnswerRecord | EndedRecord


def parse(payload: bytes) -> Record:
    """Read one record; raises UnreadableRecord with a reason fit for the engineer who finds it set aside."""
    try:
        fields = json.loads(payload)
    except ValueError as error:
        raise UnreadableRecord(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise UnreadableRecord("not a JSON object")
    try:
        return _build(fields)
    except KeyError as error:
        raise UnreadableRecord(f"{fields.get('kind')} record without {error}") from error


def unfinished(records: Iterable[Record], now: datetime) -> list[EndedRecord]:
    """The `ended` records that a node which died still owes, oldest call first.

    To be appended on the node's next start, over all records since the acknowledged position. What was answered
    stands: a call with a grade is `rated`, any other is an `error`. How often the question was put died with the
    node; `attempts` is what the journal proves.
    """
    graded: dict[str, bool] = {}
    for record in records:
        match record:
            case CallRecord():
                graded.setdefault(record.id, False)
            case AnswerRecord() if record.id in graded:
                graded[record.id] |= record.question == GRADE_QUESTION
            case EndedRecord():
                graded.pop(record.id, None)
    return [
        EndedRecord(
            id=id_, ended_at=now, ended_by="node", outcome="rated" if rated else "error", attempts=1 if rated else 0
        )
        for id_, rated in graded.items()
    ]


def _build(fields: dict[str, Any]) -> Record:
    match fields.get("kind"):
        case "call":
            return CallRecord(
                id=_text(fields, "id"),
                call_id=_text(fields, "call_id"),
                node=_text(fields, "node"),
                flow=_text(fields, "flow"),
                flow_version=_text(fields, "flow_version"),
                language=_text(fields, "language"),
                started_at=_read_time(fields, "started_at"),
                answered_at=_read_time(fields, "answered_at"),
                match=_text(fields, "match"),
                contact=_text_or_none(fields, "contact"),
                caller=_bytes_or_none(fields, "caller"),
                trunk=_text_or_none(fields, "trunk"),
            )
        case "answer":
            evidence = fields["evidence"]
            if not isinstance(evidence, dict):
                raise UnreadableRecord("evidence is not an object")
            return AnswerRecord(
                id=_text(fields, "id"),
                question=_text(fields, "question"),
                answer=_text(fields, "answer"),
                key=_text(fields, "key"),
                at=_read_time(fields, "at"),
                evidence=MappingProxyType(evidence),
            )
        case "ended":
            attempts = fields["attempts"]
            if not isinstance(attempts, int) or attempts < 0:
                raise UnreadableRecord("attempts is not a count")
            return EndedRecord(
                id=_text(fields, "id"),
                ended_at=_read_time(fields, "ended_at"),
                ended_by=_text(fields, "ended_by"),
                outcome=_text(fields, "outcome"),
                attempts=attempts,
            )
        case other:
            raise UnreadableRecord(f"unknown kind {other!r}")


def _dump(**fields: object) -> bytes:
    # JSON escapes every control character, so a record never holds the journal's line end.
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read_time(fields: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(fields, name))
    except ValueError as error:
        raise UnreadableRecord(f"{name}: {error}") from error
    if moment.tzinfo is None:
        raise UnreadableRecord(f"{name} has no time zone")
    return moment.astimezone(UTC)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise UnreadableRecord(f"{name} is not text")
    return value


def _text_or_none(fields: dict[str, Any], name: str) -> str | None:
    return None if fields.get(name) is None else _text(fields, name)


def _bytes_or_none(fields: dict[str, Any], name: str) -> bytes | None:
    text = _text_or_none(fields, name)
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise UnreadableRecord(f"{name} is not base64") from error
