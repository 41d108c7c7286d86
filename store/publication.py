"""Printing a month for everybody. Rule: from the rows, once, when the month has settled; what is printed stays printed.

A later decision changes the figures of those who work here, never a printed month: the difference of two prints of one
month would give away whom it was about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, exists, func, select
from sqlalchemy.orm import aliased

from store.database import counting, reading, writing
from store.figure_count import CALLED_BACK, PUT_RIGHT, adopted, done, was_asked, within
from store.ledger import keep
from store.period import Days, civil_day, following, month
from store.public_table import NOT_ADOPTED, SILENT, UNASKED, Cases, due, printed
from store.schema import Ballot, CaseFile, Contact, Evaluation, Publication
from store.secret import Keys

PUBLISH_AFTER_DAYS = 20  # by then an evaluation is given or deemed, called back and put right


@dataclass(frozen=True, slots=True)
class Printed:
    """One month as printed: `month` reads 2026-11."""

    month: str
    table: dict[str, Any]
    published_at: datetime


def publish(engine: Engine, keys: Keys, now: datetime, *, after_days: int) -> list[str]:
    """Print every month that is due and was not printed; give them. Processes take turns by the unique month."""
    with counting(engine) as connection:
        missing = list(_missing(connection, civil_day(now), after_days))
        tables = {start: _table(connection, start) for start in missing}
    for start, table in tables.items():
        with writing(engine) as connection:
            name = f"{start:%Y-%m}"
            if connection.scalar(select(Publication.id).where(Publication.month == name)) is None:
                row = {"id": str(uuid4()), "month": name, "table": table, "published_at": now}
                keep(connection, keys, Publication, [row], now)
    return [f"{start:%Y-%m}" for start in missing]


def published(engine: Engine) -> list[Printed]:
    """Give every printed month, the earliest first."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(Publication.month, Publication.table, Publication.published_at).order_by(Publication.month)
        )
        return [Printed(row.month, row.table, row.published_at) for row in rows]


def _missing(connection: Connection, today: date, after_days: int) -> Iterator[date]:
    first = connection.scalar(select(func.min(Contact.registered_at)))
    there = set(connection.scalars(select(Publication.month)))
    start = month(civil_day(first)) if first else today
    while due(start, today, after_days):
        if f"{start:%Y-%m}" not in there:
            yield start
        start = following(start)


def _table(connection: Connection, start: date) -> dict[str, Any]:
    days = Days(start, following(start))
    return printed(_counts(connection, days), _cases(connection, days))


def _counts(connection: Connection, days: Days) -> dict[tuple[str, str], int]:
    """Count what came of the contacts registered in these days, by department."""
    first = aliased(Ballot)
    came = case(
        (and_(first.id.is_not(None), adopted()), Evaluation.grade),
        (first.id.is_not(None), NOT_ADOPTED),
        (was_asked(), SILENT),
        else_=UNASKED,
    ).label("came")
    department = func.coalesce(Contact.department, "").label("department")
    given = and_(first.contact == Contact.id, first.deemed.is_(False), ~_earlier(first))
    # recorded after its contact was registered, give or take two clocks: the months before need not be searched
    begin = days.since - timedelta(days=1) if days.since else None
    its_row = and_(Evaluation.id == first.id, within(Evaluation.recorded_at, Days(begin)))
    rows = connection.execute(
        select(department, came, func.count().label("count"))
        .select_from(Contact)
        .outerjoin(first, given)
        .outerjoin(Evaluation, its_row)
        .where(within(Contact.registered_at, days))
        .group_by(department, came)
    )
    return {(row.department, row.came): row[2] for row in rows}


def _earlier(first: Any) -> ColumnElement[bool]:  # noqa: ANN401  an alias of Ballot
    other = aliased(Ballot)
    return exists().where(other.contact == first.contact, other.deemed.is_(False), other.round < first.round)


def _cases(connection: Connection, days: Days) -> dict[Cases, int]:
    """Count the bad evaluations recorded in these days that are adopted, and what was done about them in time."""
    back, right = done(CALLED_BACK, CaseFile.call_back_due), done(PUT_RIGHT, CaseFile.rectify_due)
    row = connection.execute(
        select(func.count(), func.count().filter(back), func.count().filter(right))
        .select_from(CaseFile)
        .join(Evaluation, CaseFile.evaluation == Evaluation.id)
        .where(within(Evaluation.recorded_at, days), Evaluation.contact.is_not(None), adopted())
    ).one()
    return dict(zip(Cases, row, strict=True))
