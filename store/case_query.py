"""What may be read of cases. Rule: rows are values; who the evaluator is stands in none of them.

`cycles` is what timeliness is counted from: one row for each bad word that began work on a case.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Select, and_, case, func, or_, select

from store.case import Act, Role, State
from store.database import reading
from store.decision import adopted
from store.errors import CipherError, NotFound
from store.privacy import FieldCipher
from store.query import Page
from store.schema import (
    Attachment,
    CaseCycle,
    CaseEvent,
    CaseFile,
    CaseStanding,
    Evaluation,
    FollowUp,
    ObjectionRecord,
    ReminderRecord,
)

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The public row of a case; times are those of its current cycle, `due` is what is due next."""

    id: str
    state: str
    due: datetime | None
    late: bool
    grade: str
    contact: str | None
    department: str | None
    item: str | None
    channel: str
    opened_at: datetime
    call_back_due: datetime
    called_back_at: datetime | None
    rectify_due: datetime
    rectified_at: datetime | None
    objection: str
    objection_until: datetime
    provisional: bool
    closed_at: datetime | None
    adopted: bool
    cycle: int
    seq: int
    evaluation: str
    match: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One act of a case's history; `note` is None where there is none or the reader may not see it."""

    seq: int
    at: datetime
    act: str
    actor: str
    role: str
    note: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file attached to a case."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReminderRow:
    """A reminder that was given."""

    case: str
    duty: str
    side: str
    to: str
    due: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """A round offered to the evaluator after rectification."""

    contact: str
    round: int
    opened_at: datetime
    owed_until: datetime


@dataclass(frozen=True, slots=True)
class CaseDetails:
    """A case with its whole history."""

    case: CaseRow
    events: list[EventRow]
    attachments: list[AttachmentRow]
    reminders: list[ReminderRow]
    follow_ups: list[FollowUpRow]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases: of some states, of a department, with something due by a moment."""

    states: Collection[State] = ()
    due: datetime | None = None
    department: str | None = None


def cases(engine: Engine, wanted: Wanted, page: Page, now: datetime) -> Iterator[CaseRow]:
    """Give cases by when they were opened, oldest first; with `due`, by what is due next, the most urgent first."""
    statement = _select()
    if wanted.states:
        statement = statement.where(CaseStanding.state.in_(sorted(wanted.states)))
    if wanted.department is not None:
        statement = statement.where(Evaluation.department == wanted.department)
    if page.since is not None:
        statement = statement.where(CaseFile.opened_at >= page.since)
    if wanted.due is not None:
        statement = statement.where(CaseStanding.next_due <= wanted.due)
        ordered = statement.order_by(CaseStanding.next_due, CaseFile.id).limit(page.limit)
        turned = False
    else:
        turned = page.limit is not None and page.newest
        order = (CaseFile.opened_at.desc(), CaseFile.id.desc()) if turned else (CaseFile.opened_at, CaseFile.id)
        ordered = statement.order_by(*order).limit(page.limit)
    with reading(engine) as connection:
        result = connection.execution_options(yield_per=_CHUNK).execute(ordered)
        rows = (_row(dict(row), now) for row in result.mappings())
        yield from reversed(list(rows)) if turned else rows


def details(engine: Engine, wanted: str, cipher: FieldCipher, now: datetime, reader: Role | None = None) -> CaseDetails:
    """Give one case by its id or its evaluation's; `NotFound` if there is none.

    To a department (`reader`) the case team's and reviewers' notes stay closed but where they are meant for it: they
    may name the evaluator (4.9).
    """
    with reading(engine) as connection:
        found = connection.execute(_select().where(_named(wanted))).mappings().one_or_none()
        if found is None:
            raise NotFound(f"there is no case {wanted}")
        name = found["id"]
        return CaseDetails(
            _row(dict(found), now),
            _events(connection, name, cipher, reader),
            [AttachmentRow(**row) for row in _of(connection, Attachment, AttachmentRow, name, "at")],
            [ReminderRow(**row) for row in _of(connection, ReminderRecord, ReminderRow, name, "at")],
            _follow_ups(connection, name),
        )


def named(engine: Engine, wanted: str) -> str:
    """Give the id of a case by its id or its evaluation's; `NotFound` if there is none."""
    with reading(engine) as connection:
        found: str | None = connection.scalar(select(CaseFile.id).where(_named(wanted)))
    if found is None:
        raise NotFound(f"there is no case {wanted}")
    return found


def cycles() -> Select[Any]:
    """Select what timeliness is counted from (8.1), for figures to filter and group.

    Columns: case, cycle, evaluation (null: reopened by a word on the phone), opened_at, call_back_due, called_back_at,
    rectify_due, rectified_at, closed_at, state, and of the evaluation under the case: department, item, operator,
    channel, contact, match; adopted as last decided.
    """
    times = ("opened_at", "call_back_due", "called_back_at", "rectify_due", "rectified_at", "closed_at")
    codes = ("department", "item", "operator", "channel", "contact", "match")
    return (
        select(
            *(getattr(CaseCycle, name) for name in ("case", "cycle", "evaluation", *times)),
            CaseStanding.state,
            *(getattr(Evaluation, name) for name in codes),
            adopted().label("adopted"),
        )
        .join(CaseFile, CaseFile.id == CaseCycle.case)
        .join(CaseStanding, CaseStanding.case == CaseCycle.case)
        .join(Evaluation, Evaluation.id == func.coalesce(CaseCycle.evaluation, CaseFile.evaluation))
    )


@dataclass(frozen=True, slots=True)
class Timeliness:
    """Counts of bad evaluations that began work in a period, as of a moment; a share is for the reader to build."""

    bad: int
    called_back_in_time: int
    called_back_late: int
    call_back_due: int  # whose 48 h are over, done or not
    rectified_in_time: int
    rectified_late: int
    rectify_due: int  # whose 15 d are over, done or not
    closed: int


def timeliness(
    engine: Engine, begins: datetime, ends: datetime, now: datetime, department: str | None = None
) -> Timeliness:
    """Count the work begun from `begins` up to before `ends`."""
    called, rectified = CaseCycle.called_back_at, CaseCycle.rectified_at
    counts = {
        "bad": None,
        "called_back_in_time": called <= CaseCycle.call_back_due,
        "called_back_late": called > CaseCycle.call_back_due,
        "call_back_due": or_(called.is_not(None), CaseCycle.call_back_due < now),
        "rectified_in_time": rectified <= CaseCycle.rectify_due,
        "rectified_late": rectified > CaseCycle.rectify_due,
        "rectify_due": or_(rectified.is_not(None), CaseCycle.rectify_due < now),
        "closed": CaseCycle.closed_at.is_not(None),
    }
    columns = [
        (func.count() if condition is None else func.count(case((condition, 1)))).label(name)
        for name, condition in counts.items()
    ]
    statement = (
        select(*columns)
        .select_from(CaseCycle)
        .where(and_(CaseCycle.opened_at >= begins, CaseCycle.opened_at < ends, CaseCycle.evaluation.is_not(None)))
    )
    if department is not None:
        given = Evaluation.id == CaseCycle.evaluation
        statement = statement.join(Evaluation, given).where(Evaluation.department == department)
    with reading(engine) as connection:
        return Timeliness(**connection.execute(statement).mappings().one())


def reminders(engine: Engine, page: Page) -> Iterator[ReminderRow]:
    """Give reminders from a moment on, oldest first: what a desk or a message system reads on from."""
    columns = [getattr(ReminderRecord, name) for name in ReminderRow.__slots__]
    statement = select(*columns).order_by(ReminderRecord.at, ReminderRecord.id).limit(page.limit)
    if page.since is not None:
        statement = statement.where(ReminderRecord.at >= page.since)
    with reading(engine) as connection:
        for row in connection.execute(statement).mappings():
            yield ReminderRow(**row)


# notes that a department is meant to read
_FOR_DEPARTMENT = (Act.RECTIFY, Act.SEND_BACK, Act.REJECT, Act.UPHOLD)


def _select() -> Select[Any]:
    of = (
        (CaseFile, "id evaluation opened_at"),
        (CaseStanding, "state seq cycle objection objection_until provisional adopted"),
        (CaseCycle, "call_back_due called_back_at rectify_due rectified_at closed_at"),
        (Evaluation, "grade contact department item channel match"),
    )
    columns = [getattr(table, name) for table, names in of for name in names.split()]
    return (
        select(*columns, CaseStanding.next_due.label("due"))
        .select_from(CaseFile)
        .join(CaseStanding, CaseStanding.case == CaseFile.id)
        .join(CaseCycle, and_(CaseCycle.case == CaseFile.id, CaseCycle.cycle == CaseStanding.cycle))
        .join(Evaluation, Evaluation.id == CaseFile.evaluation)
    )


def _named(wanted: str) -> Any:  # noqa: ANN401  an SQL expression
    try:
        name = str(UUID(wanted))
    except ValueError:
        raise NotFound(f"there is no case {wanted}") from None
    return or_(CaseFile.id == name, CaseFile.evaluation == name)


def _row(row: dict[str, Any], now: datetime) -> CaseRow:
    return CaseRow(late=row["due"] is not None and row["due"] < now, **row)


def _events(connection: Connection, name: str, cipher: FieldCipher, reader: Role | None) -> list[EventRow]:
    columns = (CaseEvent.id, *(getattr(CaseEvent, field) for field in EventRow.__slots__))
    rows = connection.execute(select(*columns).where(CaseEvent.case == name).order_by(CaseEvent.seq)).mappings()
    return [_event(dict(row), cipher, reader) for row in rows]


def _event(row: dict[str, Any], cipher: FieldCipher, reader: Role | None) -> EventRow:
    sealed, name = row["note"], row.pop("id")
    closed = reader is Role.DEPARTMENT and row["role"] != Role.DEPARTMENT and row["act"] not in _FOR_DEPARTMENT
    note = None
    if sealed is not None and not closed:
        try:
            note = cipher.open(sealed, name.encode())
        except CipherError:
            note = "****"
    return EventRow(**row | {"note": note})


def _of(connection: Connection, table: Any, kind: Any, name: str, order: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    columns = [getattr(table, field) for field in kind.__slots__]
    rows = connection.execute(select(*columns).where(table.case == name).order_by(getattr(table, order), table.id))
    return (dict(row) for row in rows.mappings())


def _follow_ups(connection: Connection, name: str) -> list[FollowUpRow]:
    columns = [getattr(FollowUp, field) for field in FollowUpRow.__slots__]
    offered = select(*columns).join(CaseCycle, CaseCycle.follow_up == FollowUp.id).where(CaseCycle.case == name)
    rows = connection.execute(offered.order_by(FollowUp.opened_at))
    return [FollowUpRow(**row) for row in rows.mappings()]


def objections(engine: Engine, name: str) -> list[dict[str, Any]]:
    """Give the objections made in a case, with the deadlines as they stood."""
    columns = ("id", "cycle", "attachment", "by", "filed_at", "until", "until_provisional", "decide_due")
    with reading(engine) as connection:
        rows = connection.execute(
            select(*(getattr(ObjectionRecord, column) for column in columns))
            .where(ObjectionRecord.case == name)
            .order_by(ObjectionRecord.cycle)
        )
        return [dict(row) for row in rows.mappings()]
