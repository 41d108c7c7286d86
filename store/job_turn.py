"""Whose turn a job is. Rule: a turn is claimed by one conditional UPDATE, and a dead holder's turn ends by itself.

PostgreSQL lets several processes work side by side, each on rows the others have not locked (SKIP LOCKED); SQLite
ignores that clause silently and has one writer, so there a whole job is one process's turn. What is done once a day is
a turn on both.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store.contact import CIVIL_TIME
from store.database import reading, writing
from store.schema import JobTurn

LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Turn:
    """A job, and the process that wants to do it."""

    job: str
    holder: str


def take(engine: Engine, turn: Turn, now: datetime) -> bool:
    """Claim or renew a turn; False: another process has it."""
    with writing(engine) as connection:
        _know(connection, turn.job)
        free = or_(JobTurn.until.is_(None), JobTurn.until <= now, JobTurn.holder == turn.holder)
        claim = update(JobTurn).where(JobTurn.job == turn.job, free)
        return connection.execute(claim.values(holder=turn.holder, until=now + LEASE)).rowcount == 1


def give_back(engine: Engine, turn: Turn, now: datetime, *, done: bool) -> None:
    """End a turn; `done`: the job has nothing left as of now."""
    with writing(engine) as connection:
        mine = update(JobTurn).where(JobTurn.job == turn.job, JobTurn.holder == turn.holder)
        connection.execute(mine.values(holder=None, until=None, **({"done_at": now} if done else {})))


def done_on(engine: Engine, job: str) -> date | None:
    """Give the civil day a job was last done on."""
    with reading(engine) as connection:
        at = connection.scalar(select(JobTurn.done_at).where(JobTurn.job == job))
    return at.astimezone(CIVIL_TIME).date() if at else None


def _know(connection: Connection, job: str) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(JobTurn).values(job=job).on_conflict_do_nothing(index_elements=["job"]))
