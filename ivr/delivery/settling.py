"""From the journal's mixed records to whole calls, in the order in which they ended.

Pure: entries in, calls out. Records of many calls lie between one another, so what may be acknowledged is only what
lies before the oldest call that has not ended; calls that began before that point and ended after it are named in the
acknowledgement's note, for after a restart the rest of their records is met without their beginning.
"""

import base64
import re
from dataclasses import dataclass, field

from ivr.gateway.journal_records import AnswerRecord, CallRecord, EndedRecord, UnreadableRecord, parse
from ivr.journal import Damage, Entry, Position
from store.call import GivenAnswer, Match, SettledCall

CANCELLED = "cancelled"
_ID = re.compile(r"[0-9A-Fa-f-]{1,64}")


@dataclass(frozen=True, slots=True)
class Settled:
    """A whole call and the records it was made of; `position` is where its last record lies."""

    position: Position
    call: SettledCall
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Poison:
    """What no store will ever take, and why; `call` is its id where it is known."""

    position: Position
    reason: str
    records: tuple[str, ...]
    call: str | None = None


@dataclass(slots=True)
class _Open:
    begin: Position
    call: CallRecord
    records: list[str]
    answers: dict[str, AnswerRecord] = field(default_factory=dict)


class Settling:
    """Calls that have begun and not yet ended, of one journal."""

    def __init__(self, at: Position, note: str) -> None:
        """Start where the acknowledgement left off; `note` is its note."""
        self._at = at
        self._open: dict[str, _Open] = {}
        # settled calls by id: where they began and, once that was met, where they ended
        self._settled: dict[str, tuple[Position, Position | None]] = {
            id_: (Position(0, 0), None) for id_ in note.split()
        }

    def take(self, entry: Entry | Damage) -> Settled | Poison | None:
        """One entry of the journal; gives a call when this was its end, or what cannot be used."""
        self._at = entry.after
        if isinstance(entry, Damage):
            return Poison(entry.before, f"damaged: {entry.reason}", (_legible(entry.data),))
        try:
            record = parse(entry.payload)
        except UnreadableRecord as error:
            return Poison(entry.before, f"unreadable: {error}", (_legible(entry.payload),))
        if isinstance(record, CallRecord):
            return self._begin(record, entry)
        if record.id in self._open:
            return self._go_on(record, entry)
        if record.id not in self._settled:
            return Poison(entry.before, "a record of a call that did not begin", (_legible(entry.payload),), record.id)
        begin, end = self._settled[record.id]
        if end is not None:
            return Poison(entry.before, "a record of a call that has ended", (_legible(entry.payload),), record.id)
        if isinstance(record, EndedRecord):
            self._settled[record.id] = (begin, entry.after)
        return None  # it was settled before the last restart

    def acknowledgeable(self) -> tuple[Position, str]:
        """How far all is settled, and the note that goes with it."""
        held = min((call.begin for call in self._open.values()), default=self._at)
        self._settled = {id_: span for id_, span in self._settled.items() if span[1] is None or span[1] > held}
        return held, " ".join(id_ for id_, (begin, _) in self._settled.items() if begin < held)

    def _begin(self, record: CallRecord, entry: Entry) -> Poison | None:
        if not _ID.fullmatch(record.id):
            return Poison(entry.before, "its id is no UUID", (_legible(entry.payload),))
        if record.id in self._open or record.id in self._settled:
            return Poison(entry.before, "a second beginning of one call", (_legible(entry.payload),), record.id)
        self._open[record.id] = _Open(entry.before, record, [_legible(entry.payload)])
        return None

    def _go_on(self, record: AnswerRecord | EndedRecord, entry: Entry) -> Settled | Poison | None:
        call = self._open[record.id]
        call.records.append(_legible(entry.payload))
        if isinstance(record, AnswerRecord):
            # the last answer to a question stands, in the place of its last giving
            call.answers.pop(record.question, None)
            call.answers[record.question] = record
            return None
        del self._open[record.id]
        self._settled[record.id] = (call.begin, entry.after)
        if record.ended_by == CANCELLED:
            return None  # CANCEL overtook the answer: there was no answered call to keep
        return _settle(call, record, entry.before)


def _settle(call: _Open, ended: EndedRecord, position: Position) -> Settled | Poison:
    begun, records = call.call, tuple(call.records)
    try:
        match = Match(begun.match)
    except ValueError:
        return Poison(position, f"unknown match {begun.match!r}", records, begun.id)
    settled = SettledCall(
        id=begun.id,
        call_id=begun.call_id,
        node=begun.node,
        flow=begun.flow,
        flow_version=begun.flow_version,
        language=begun.language,
        started_at=begun.started_at,
        answered_at=begun.answered_at,
        ended_at=ended.ended_at,
        ended_by=ended.ended_by,
        outcome=ended.outcome,
        attempts=ended.attempts,
        match=match,
        contact=begun.contact,
        caller=begun.caller,
        trunk=begun.trunk,
        answers=tuple(GivenAnswer(a.question, a.answer, a.key, a.at, a.evidence) for a in call.answers.values()),
    )
    return Settled(position, settled, records)


def _legible(data: bytes) -> str:
    """Text where it is text, so that what is set aside can be read and mended; base64 otherwise."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode("ascii")
