"""Finished calls into the database. Rule: one transaction a batch, the same rows however often a batch is repeated.

A call's id was fixed by its node before the first write; it is inserted or ignored, and only a call inserted now gets
answers, an evaluation and a say in its contact's outcome.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from store.ballot_box import Voter, evaluation_row, lock, put, settle
from store.bulk import RowUnfit, insert_new, insert_rows
from store.call import Match, Outcome, SettledCall
from store.case_policy import Policy
from store.contact import Standing, after_call
from store.database import open_engine, writing
from store.evaluation import Earlier, Given, NotTaken, Repeat, bind, judge
from store.ledger import Written
from store.schema import Answer, Ballot, Call
from store.secret import Keys

CHANNEL = "ivr"

# a row the database will never take: a NUL in a text, a number out of range, a time without a zone
_POISON = (DataError, IntegrityError, StatementError, UnicodeError, OverflowError, RowUnfit)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call that stands in the store, now or since an earlier time; `evaluation` is None where no grade was given."""

    id: str
    evaluation: str | None
    match: str
    round: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A call whose grade (or, for a malformed one, whose whole record) is refused for good, with the reason."""

    id: str
    reason: str


@dataclass(slots=True)
class _Batch:
    """What one transaction has learnt so far."""

    now: datetime
    voters: dict[str, Voter]
    standings: dict[str, Standing] = field(default_factory=dict)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    evaluations: list[dict[str, Any]] = field(default_factory=list)


class Recorder:
    """Records settled calls. Threads and processes may each have their own on the same database."""

    def __init__(
        self,
        database_url: str,
        repeat: str,
        keys: Keys,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        policy: Policy | None = None,
    ) -> None:
        """Prepare; connects at the first batch. `repeat`: `follow_up` or `refuse`; `clock` gives the server's time.

        `policy` says how the deadlines of bad evaluations' cases are counted.
        """
        self._engine = open_engine(database_url)
        self._repeat = Repeat(repeat)
        self._keys = keys
        self._clock = clock
        self._policy = policy

    def record(self, calls: Sequence[SettledCall]) -> list[Recorded | Refused]:
        """Record calls in one transaction and report on each, in the same order.

        Raises `StoreUnavailable` (nothing was recorded, try again) or a `SchemaMismatch`. A call the database
        cannot take does not spoil its batch: the batch is then recorded one by one and that call comes back `Refused`.
        """
        sound = {call.id: call for call in map(_normal, calls) if call is not None}
        reports = self._record_sound(list(sound.values()))
        return [reports.get(_uuid(call.id) or "", Refused(call.id, "malformed: an id is no UUID")) for call in calls]

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _record_sound(self, calls: list[SettledCall]) -> dict[str, Recorded | Refused]:
        if not calls:
            return {}
        try:
            with writing(self._engine) as connection:
                return self._record_batch(connection, calls)
        except _POISON as error:
            if len(calls) == 1:
                return {calls[0].id: Refused(calls[0].id, f"malformed: {_first_line(error)}")}
        return {name: report for call in calls for name, report in self._record_sound([call]).items()}

    def _record_batch(self, connection: Connection, calls: list[SettledCall]) -> dict[str, Recorded | Refused]:
        batch = _Batch(self._clock(), lock(connection, {call.contact for call in calls if call.contact}))
        batch.calls = {call.id: _call_row(call, batch) for call in sorted(calls, key=lambda call: call.id)}
        new = insert_new(connection, Call, list(batch.calls.values()))
        for call in calls:
            if call.id in new:
                self._settle(call, batch)
        _write(connection, self._keys, batch, self._policy)
        return _reports(connection, calls)

    def _settle(self, call: SettledCall, batch: _Batch) -> None:
        """Decide on one new call and note what is to be written for it."""
        batch.answers[call.id] = [_answer_row(call, place) for place in range(len(call.answers))]
        match, contact = bind(call, known=call.contact in batch.voters)
        voter = batch.voters[contact] if contact else None
        outcome = call.outcome
        match judge(call, earlier=voter.earlier if voter else Earlier(), repeat=self._repeat):
            case Given() as given:
                batch.evaluations.append(_evaluation_row(call, given, match, voter, batch.now))
                if voter:
                    voter = replace(voter, earlier=replace(voter.earlier, rounds=given.round))
            case NotTaken(reason):
                batch.calls[call.id]["refusal"] = reason
                # rated by another call, or in words nobody knows: never `rated` by this one
                outcome = Outcome.ERROR
            case None:
                pass
        if voter:
            standing = after_call(voter.standing, outcome, call.ended_at)
            batch.voters[voter.id] = replace(voter, standing=standing)
            batch.standings[voter.id] = standing


def _normal(call: SettledCall) -> SettledCall | None:
    """Spell ids one way; None where an id is no UUID, which no database column would take."""
    name = _uuid(call.id)
    contact = _uuid(call.contact) if call.contact else None
    if name is None or (call.contact and contact is None):
        return None
    return replace(call, id=name, contact=contact)


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _call_row(call: SettledCall, batch: _Batch) -> dict[str, Any]:
    match, contact = bind(call, known=call.contact in batch.voters)
    plain = ("id", "call_id", "node", "flow", "flow_version", "language", "started_at", "answered_at", "ended_at")
    more = ("ended_by", "outcome", "attempts", "caller", "trunk")
    return {name: getattr(call, name) for name in plain + more} | {
        "match": match,
        "contact": contact,
        "claimed_contact": None if contact else call.contact,
        "refusal": None,
        "recorded_at": batch.now,
    }


def _answer_row(call: SettledCall, place: int) -> dict[str, Any]:
    answer = call.answers[place]
    return {
        "call": call.id,
        "question": answer.question,
        "answer": answer.answer,
        "key": answer.key,
        "at": answer.at,
        "evidence": dict(answer.evidence),
    }


def _evaluation_row(
    call: SettledCall, given: Given, match: Match, voter: Voter | None, now: datetime
) -> dict[str, Any]:
    return evaluation_row(
        id=call.id,
        contact=voter.id if voter else None,
        channel=CHANNEL,
        grade=given.grade,
        round=given.round,
        match=match,
        answered_at=given.answer.at,
        recorded_at=now,
        key=given.answer.key,
        call=call.id,
        flow=call.flow,
        flow_version=call.flow_version,
        evidence=dict(given.answer.evidence),
        **(voter.codes if voter else {}),
    )


def _write(connection: Connection, keys: Keys, batch: _Batch, policy: Policy | None) -> None:
    """Write what was decided; the ledger last, for its end is held until the commit."""
    if answers := [answer for rows in batch.answers.values() for answer in rows]:
        insert_rows(connection, Answer, answers)
    if refused := [
        {"refused": call, "reason": reason} for call, row in batch.calls.items() if (reason := row["refusal"])
    ]:
        changed = update(Call).where(Call.id == bindparam("refused")).values(refusal=bindparam("reason"))
        connection.execute(changed, refused)
    settle(connection, batch.standings)
    calls = [Written("call", call, batch.calls[call], {"answer": answers}) for call, answers in batch.answers.items()]
    put(connection, keys, batch.evaluations, batch.now, before=calls, policy=policy)


def _reports(connection: Connection, calls: Iterable[SettledCall]) -> dict[str, Recorded | Refused]:
    """Read back what stands, so that a repeated batch is told exactly what the first was."""
    rows = connection.execute(
        select(Call.id, Call.match, Call.refusal, Ballot.id.label("evaluation"), Ballot.round)
        .outerjoin(Ballot, Ballot.call == Call.id)
        .where(Call.id.in_([call.id for call in calls]))
    )
    return {row.id: _report(row) for row in rows}


def _report(row: Row[str, str, str | None, str | None, int | None]) -> Recorded | Refused:
    name, match, refusal, evaluation, rounds = row
    return Refused(name, refusal) if refusal else Recorded(name, evaluation, match, rounds)


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, StatementError) and error.orig else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
