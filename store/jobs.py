"""What is done by the clock (6.4, 8.1, 8.2, 9.3). Rule: in batches, each one transaction; a stop loses nothing.

A job that is due is due until it is done, so whatever the clock missed while no process ran is caught up. More jobs
(retention, the outbox) are more rows of the table that `clockwork` gives.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from store import case_clock, deemed, department_watch, idempotency, job_turn, partitions
from store.case_act import Office
from store.contact import CIVIL_TIME
from store.database import sqlite_path
from store.figure_rollup import fold
from store.grade import Grade
from store.job_turn import Turn
from store.low_index import DEFAULT_WEIGHTS, Limits, month_before
from store.publication import PUBLISH_AFTER_DAYS, publish
from store.retention import Retention, forget

Batch = Callable[[Office, datetime], Iterator[int]]


@dataclass(frozen=True, slots=True)
class Job:
    """One job: `batches` gives how many rows each batch did, until nothing is left; `daily`: once a civil day."""

    name: str
    batches: Batch
    daily: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What one job did in one go; `left`: another process has its turn."""

    job: str
    rows: int
    left: bool = False


_FOR_EVER = Retention()


def clockwork(
    *,
    deeming: bool,
    limits: Limits,
    weights: Mapping[Grade, float] = DEFAULT_WEIGHTS,
    publish_after_days: int = PUBLISH_AFTER_DAYS,
    retention: Retention = _FOR_EVER,
) -> list[Job]:
    """Give the jobs of a site, in the order they are done in."""
    jobs = [
        Job("expired", lambda office, now: _until_none(lambda: deemed.expire(office, now))),
        Job("recounted", lambda office, now: iter([case_clock.recount(office, now)])),
        Job("reminded", lambda office, now: _until_none(lambda: case_clock.remind(office, now))),
        Job("warned", lambda office, now: _warn(office, limits, weights, now), daily=True),
        Job("months", lambda office, now: iter([len(partitions.ensure(office.engine, now))]), daily=True),
        Job("folded", lambda office, _now: _until_none(lambda: fold(office.engine).entries)),
        Job("published", lambda office, now: _publish(office, publish_after_days, now), daily=True),
        Job("answers_forgotten", lambda office, now: iter([idempotency.forget(office.engine, now)]), daily=True),
        Job("forgotten", lambda office, now: forget(office.engine, office.keys, retention, now), daily=True),
    ]
    return [Job("deemed", _deem), *jobs] if deeming else jobs


def run(office: Office, jobs: Sequence[Job], holder: str, now: datetime, *, stopped: Callable[[], bool]) -> list[Done]:
    """Do what is due, job by job; `holder` names this process. Raises `StoreUnavailable` where the database is down."""
    return [_run(office, job, Turn(job.name, holder), now, stopped) for job in jobs if not stopped()]


def _run(office: Office, job: Job, turn: Turn, now: datetime, stopped: Callable[[], bool]) -> Done:
    if job.daily and job_turn.done_on(office.engine, job.name) == now.astimezone(CIVIL_TIME).date():
        return Done(job.name, 0)
    alone = job.daily or sqlite_path(office.engine) is not None
    if alone and not job_turn.take(office.engine, turn, now):
        return Done(job.name, 0, left=True)
    rows, finished = 0, False
    try:
        for count in job.batches(office, now):
            rows += count
            if stopped():
                break
            if alone:
                job_turn.take(office.engine, turn, now)
        else:
            finished = True
    finally:
        if alone:
            job_turn.give_back(office.engine, turn, now, done=finished)
    return Done(job.name, rows)


def _until_none(batch: Callable[[], int]) -> Iterator[int]:
    while count := batch():
        yield count


def _deem(office: Office, now: datetime) -> Iterator[int]:
    after: deemed.Place | None = None
    while True:
        count, after = deemed.deem(office, now, after)
        yield count
        if after is None:
            return


def _warn(office: Office, limits: Limits, weights: Mapping[Grade, float], now: datetime) -> Iterator[int]:
    yield department_watch.warn(office, month_before(now), limits, now, weights)


def _publish(office: Office, after_days: int, now: datetime) -> Iterator[int]:
    yield len(publish(office.engine, office.keys, now, after_days=after_days))
