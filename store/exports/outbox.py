"""The messages to a target, from the ledger to their end. Rule: nothing skipped, nothing lost, each ends with a reason.

The ledger is the outbox: its entries are written in the transaction that stores what they name, in the order of
commits, without gaps. So reading it up to a mark finds everything, whichever process or program stored it, and those
who store pay nothing. Of one evaluation a target gets one message at a time, in that order: what waits behind a dead
letter waits until it is retried.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from sqlalchemy import ColumnElement, Connection, Engine, Row, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from store.database import writing
from store.exports.answer import Again, Delivered, Refused, Verdict
from store.exports.backoff import pause
from store.exports.mapping import Kind
from store.exports.targets import Target
from store.ledger import head
from store.schema import CaseEvent, CaseFile, Decision, Evaluation, ExportMark, ExportMessage, LedgerEntry

STEP = 1000  # entries of the ledger read in one transaction
WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
# a sender that died lets go of its message after this; one that lives never needs so long (timeouts are at most 60 s)
CLAIM = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that nobody else sends while the claim holds. `attempts` counts this one."""

    id: str
    kind: Kind
    row: str
    evaluation: str
    attempts: int
    claim: str


def message_id(target: str, kind: Kind, row: str) -> str:
    """Derive the id by which a platform knows a repetition: the same for ever, also from a restored backup."""
    return str(uuid5(NAMESPACE_URL, f"pingjia:{target}/{kind}/{row}"))


def expected(target: Target) -> tuple[ColumnElement[bool], ...]:
    """Say which evaluations a target is to get: no word of the grade in it, and there must never be one.

    One that no contact is bound to has no number a platform would know it by, and is in no figure either.
    """
    wanted: list[ColumnElement[bool]] = [Evaluation.contact.is_not(None)]
    if not target.deemed:
        wanted.append(Evaluation.deemed.is_(False))
    if target.since is not None:
        wanted.append(Evaluation.recorded_at >= target.since)
    return tuple(wanted)


def read_on(engine: Engine, target: Target, now: datetime) -> int:
    """Make the messages for one step of the ledger and move the mark; give how many entries were read."""
    with writing(engine) as connection:
        after = _locked_mark(connection, target.name)
        upto = min(after + STEP, head(connection).seq)
        if upto <= after:
            return 0
        _put_in(connection, target, _entries(connection, target, after, upto), now)
        connection.execute(update(ExportMark).where(ExportMark.target == target.name).values(seq=upto))
    return upto - after


def claim(engine: Engine, target: Target, now: datetime) -> Claimed | None:
    """Take the message that has been due longest and that nothing goes before; None where there is none."""
    with writing(engine) as connection:
        due = (
            select(ExportMessage.id)
            .where(ExportMessage.target == target.name, ExportMessage.status == WAITING, ExportMessage.due_at <= now)
            .where(or_(ExportMessage.claimed_until.is_(None), ExportMessage.claimed_until <= now))
            .where(~blocked())
            .order_by(ExportMessage.due_at, ExportMessage.seq)
            .limit(1)
            .with_for_update(skip_locked=True, of=ExportMessage)
        )
        taken = (
            update(ExportMessage)
            .where(ExportMessage.id.in_(due.scalar_subquery()))
            .values(claim=str(uuid4()), claimed_until=now + CLAIM, attempts=ExportMessage.attempts + 1)
            .returning(*(getattr(ExportMessage, name) for name in Claimed.__slots__))
        )
        row = connection.execute(taken).one_or_none()
    return Claimed(row.id, Kind(row.kind), row.row, row.evaluation, row.attempts, row.claim) if row else None


def blocked() -> ColumnElement[bool]:
    """Give the expression: an earlier message of the same evaluation has not been delivered."""
    earlier = aliased(ExportMessage)
    return (
        exists()
        .where(earlier.target == ExportMessage.target, earlier.evaluation == ExportMessage.evaluation)
        .where(earlier.seq < ExportMessage.seq, earlier.status != DELIVERED)
        .correlate(ExportMessage)
    )


def settle(
    engine: Engine,
    target: Target,
    message: Claimed,
    verdict: Verdict,
    now: datetime,
    *,
    chance: float,
    subject: str | None = None,
) -> Verdict:
    """Write what became of a message, if its claim still stands; give it as written.

    `subject`: what the platform tells evaluations apart by; it lets a duplicate that is another's be found.
    """
    with writing(engine) as connection:
        verdict = _weigh(connection, target, message, verdict, subject)
        values = _became(verdict, message.attempts, now, chance)
        if subject is not None:
            values |= {"subject": subject, "disclosed": str(target.caller)}
        mine = (ExportMessage.id == message.id, ExportMessage.claim == message.claim)
        # nothing is updated where the claim has run out: somebody else sends it again, under the same id
        connection.execute(update(ExportMessage).where(*mine).values(claim=None, claimed_until=None, **values))
    return verdict


def _weigh(connection: Connection, target: Target, message: Claimed, verdict: Verdict, subject: str | None) -> Verdict:
    """Take a duplicate for what it is, and an attempt too many for the last."""
    match verdict:
        case Delivered(duplicate=True) if other := _another(connection, target, message, subject):
            return Refused(f"the platform holds another evaluation of {subject}: {other}")
        case Again(reason) if message.attempts >= target.attempts:
            return Refused(f"given up after {message.attempts} attempts: {reason}")
    return verdict


def _another(connection: Connection, target: Target, message: Claimed, subject: str | None) -> str | None:
    if subject is None or message.kind is not Kind.EVALUATION:
        return None
    same = (ExportMessage.target == target.name, ExportMessage.subject == subject, ExportMessage.id != message.id)
    held = (ExportMessage.kind == str(Kind.EVALUATION), ExportMessage.status == DELIVERED)
    return connection.scalar(select(ExportMessage.evaluation).where(*same, *held).limit(1))


def _became(verdict: Verdict, attempts: int, now: datetime, chance: float) -> dict[str, Any]:
    match verdict:
        case Delivered(duplicate):
            return {"status": DELIVERED, "reason": None, "duplicate": duplicate, "settled_at": now}
        case Refused(reason):
            return {"status": DEAD, "reason": reason, "settled_at": now}
        case Again(reason, after):
            return {"reason": reason, "due_at": now + pause(attempts, chance, after)}


def retry(engine: Engine, target: str, messages: Sequence[str] | None, now: datetime) -> int:
    """Put dead letters in again, all of a target or those named; give how many."""
    dead = update(ExportMessage).where(ExportMessage.target == target, ExportMessage.status == DEAD)
    if messages is not None:
        dead = dead.where(ExportMessage.id.in_(messages))
    with writing(engine) as connection:
        put_in = dead.values(status=WAITING, attempts=0, due_at=now, settled_at=None)
        return connection.execute(put_in).rowcount


def _locked_mark(connection: Connection, target: str) -> int:
    _insert_new(connection, ExportMark, [{"target": target, "seq": 0}], ["target"])
    mark = select(ExportMark.seq).where(ExportMark.target == target).with_for_update()
    return connection.scalar(mark) or 0


def _entries(connection: Connection, target: Target, after: int, upto: int) -> list[tuple[Kind, Row[int, str, str]]]:
    """Give (seq, row, evaluation) of what is to be reported."""
    found: list[tuple[Kind, Row[int, str, str]]] = []
    for kind in target.table.fields:
        source = _SOURCE[kind]
        rows = select(LedgerEntry.seq, LedgerEntry.row, Evaluation.id.label("evaluation"))
        rows = rows.join(source, source.id == LedgerEntry.row)
        if kind is Kind.DECISION:
            rows = rows.join(Evaluation, Evaluation.id == Decision.evaluation)
        elif kind is Kind.REPLY:
            rows = rows.join(CaseFile, CaseFile.id == CaseEvent.case)
            rows = rows.join(Evaluation, Evaluation.id == CaseFile.evaluation)
            rows = rows.where(CaseEvent.act.in_(sorted(target.table.acts)))
        rows = rows.where(LedgerEntry.table_name == kind.table, LedgerEntry.seq > after, LedgerEntry.seq <= upto)
        found += [(kind, row) for row in connection.execute(rows.where(*expected(target)))]
    return found


_SOURCE: dict[Kind, Any] = {Kind.EVALUATION: Evaluation, Kind.DECISION: Decision, Kind.REPLY: CaseEvent}


def _put_in(
    connection: Connection, target: Target, entries: Iterable[tuple[Kind, Row[int, str, str]]], now: datetime
) -> None:
    rows = [
        {
            "id": message_id(target.name, kind, entry.row),
            "target": target.name,
            "kind": str(kind),
            "row": entry.row,
            "evaluation": entry.evaluation,
            "seq": entry.seq,
            "status": WAITING,
            "attempts": 0,
            "due_at": now,
            "duplicate": False,
        }
        for kind, entry in entries
    ]
    if rows:
        _insert_new(connection, ExportMessage, rows, ["id"])


def _insert_new(connection: Connection, table: Any, rows: list[dict[str, Any]], key: list[str]) -> None:  # noqa: ANN401
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(index_elements=key), rows)
