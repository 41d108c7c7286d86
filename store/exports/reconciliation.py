"""Was everything given also sent? Rule: counted from the evaluations themselves, not from what was put in.

By grade, so that a grade that is kept back shows: what a target is to get is `outbox.expected`, and asks for no grade.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, Select, and_, case, func, select

from store.database import reading, steady
from store.exports.mapping import Kind
from store.exports.outbox import DEAD, DELIVERED, WAITING, blocked, expected
from store.exports.targets import Target
from store.grade import Grade
from store.schema import Evaluation, ExportMessage

MISSING = "missing"  # no message was ever made: must never be


@dataclass(frozen=True, slots=True)
class GradeRow:
    """What became of the evaluations of one grade."""

    grade: str
    given: int
    delivered: int
    waiting: int
    dead: int
    missing: int

    @property
    def whole(self) -> bool:
        """Whether all was sent."""
        return self.given == self.delivered


@dataclass(frozen=True, slots=True)
class UnsentRow:
    """An evaluation the platform has not got, and why."""

    evaluation: str
    grade: str
    round: int
    recorded_at: datetime
    status: str
    attempts: int | None
    reason: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class StatusRow:
    """Messages of one kind and status; `blocked`: behind an earlier one of their evaluation."""

    kind: str
    status: str
    count: int
    blocked: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A dead letter: what it was about, and why it is dead."""

    id: str
    kind: str
    evaluation: str
    attempts: int
    reason: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All grades, what was not sent, and evaluations no contact is bound to: those are never sent."""

    grades: Sequence[GradeRow]
    unsent: Sequence[UnsentRow]
    unbound: int

    @property
    def whole(self) -> bool:
        """Whether everything given was sent."""
        return all(row.whole for row in self.grades)


def reconcile(engine: Engine, target: Target) -> Reconciliation:
    """Compare what was given with what was delivered, on one snapshot."""
    status = func.coalesce(ExportMessage.status, MISSING)
    counted = _given(target).with_only_columns(Evaluation.grade, status.label("status"), func.count().label("count"))
    unsent = _given(target).where(status != DELIVERED).order_by(Evaluation.recorded_at, Evaluation.id)
    unbound = select(func.count()).select_from(Evaluation).where(Evaluation.contact.is_(None))
    if target.since is not None:
        unbound = unbound.where(Evaluation.recorded_at >= target.since)
    with reading(steady(engine)) as connection:
        counts: Counter[tuple[str, str]] = Counter()
        for row in connection.execute(counted.group_by(Evaluation.grade, status)):
            counts[row.grade, row.status] = row[2]
        rows = [UnsentRow(*row) for row in connection.execute(unsent)]
        loose = connection.scalar(unbound) or 0
    return Reconciliation([_grade_row(str(grade), counts) for grade in Grade], rows, loose)


def status(engine: Engine, target: str) -> list[StatusRow]:
    """Count a target's messages."""
    held = case((and_(ExportMessage.status == WAITING, blocked()), 1), else_=0)
    rows = (
        select(ExportMessage.kind, ExportMessage.status, func.count(), func.sum(held), func.min(ExportMessage.due_at))
        .where(ExportMessage.target == target)
        .group_by(ExportMessage.kind, ExportMessage.status)
        .order_by(ExportMessage.kind, ExportMessage.status)
    )
    with reading(engine) as connection:
        return [
            StatusRow(kind, state, count, int(behind), oldest if state == WAITING else None)
            for kind, state, count, behind, oldest in connection.execute(rows)
        ]


def dead_letters(engine: Engine, target: str, limit: int | None = None) -> list[LetterRow]:
    """List a target's dead letters, the oldest first."""
    columns = [getattr(ExportMessage, name) for name in LetterRow.__slots__]
    rows = select(*columns).where(ExportMessage.target == target, ExportMessage.status == DEAD)
    with reading(engine) as connection:
        return [LetterRow(*row) for row in connection.execute(rows.order_by(ExportMessage.settled_at).limit(limit))]


def _given(target: Target) -> Select[str, str, int, datetime, str, int, str | None, str]:
    message = and_(
        ExportMessage.target == target.name,
        ExportMessage.kind == str(Kind.EVALUATION),
        ExportMessage.row == Evaluation.id,
    )
    return (
        select(
            Evaluation.id,
            Evaluation.grade,
            Evaluation.round,
            Evaluation.recorded_at,
            func.coalesce(ExportMessage.status, MISSING),
            ExportMessage.attempts,
            ExportMessage.reason,
            ExportMessage.id,
        )
        .outerjoin(ExportMessage, message)
        .where(*expected(target))
    )


def _grade_row(grade: str, counts: Counter[tuple[str, str]]) -> GradeRow:
    of = {state: counts[grade, state] for state in (DELIVERED, WAITING, DEAD, MISSING)}
    return GradeRow(grade, sum(of.values()), of[DELIVERED], of[WAITING], of[DEAD], of[MISSING])
