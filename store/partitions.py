"""Evaluations by civil month, on PostgreSQL. Rule: a month is there before it begins; a row never waits for one.

A month's partition lies in the schema `months`; a row of a month without one goes to `evaluation_other` and is moved
when its partition is made. SQLite keeps one table: an embedded store is small.
"""

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import Connection, Engine, text

from store.database import writing
from store.period import civil_day, following, month

AHEAD = 3  # months that are ready before they begin


def ensure(engine: Engine, now: datetime) -> list[str]:
    """Make the partitions of this month, of those to come, and of any month that had none; give the new ones' names."""
    if engine.dialect.name != "postgresql":
        return []
    with writing(engine) as connection:
        missing = [start for start in _wanted(connection, civil_day(now)) if not _there(connection, start)]
        for start in missing:
            _make(connection, start)
    return [_name(start) for start in missing]


def _wanted(connection: Connection, today: date) -> Iterator[date]:
    start = month(today)
    for _ in range(AHEAD + 1):
        yield start
        start = following(start)
    strays = text(
        "SELECT DISTINCT CAST(date_trunc('month', recorded_at AT TIME ZONE 'UTC' + INTERVAL '8 hours') AS date)"
        " AS start FROM months.evaluation_other ORDER BY start"
    )
    yield from (stray for stray in connection.scalars(strays) if not month(today) <= stray < start)


def _there(connection: Connection, start: date) -> bool:
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": _name(start)}) is not None


def _name(start: date) -> str:
    return f"months.evaluation_{start:%Y_%m}"


def _make(connection: Connection, start: date) -> None:
    """Make one month's partition and move the rows that went elsewhere for want of it."""
    name, begin, end = _name(start), f"{start} 00:00+08", f"{following(start)} 00:00+08"
    # the whole table, for readers too: one that had planned without the new partition would miss what is moved there
    connection.execute(text("LOCK TABLE evaluation IN ACCESS EXCLUSIVE MODE"))
    connection.execute(text(f"CREATE TABLE {name} (LIKE evaluation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    inside = f"recorded_at >= '{begin}' AND recorded_at < '{end}'"
    taken = f"WITH moved AS (DELETE FROM months.evaluation_other WHERE {inside} RETURNING *)"  # noqa: S608  our own dates
    connection.execute(text(f"{taken} INSERT INTO {name} SELECT * FROM moved"))  # noqa: S608
    attached = f"ALTER TABLE evaluation ATTACH PARTITION {name} FOR VALUES FROM ('{begin}') TO ('{end}')"
    connection.execute(text(attached))
