"""`jobs`: what is done by the clock. Rule: a database that is down is said once and waited for, ever longer."""

import os
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

import click
import structlog

from ivr.logs import set_up_logs
from ivr.readiness import notify
from settings import Settings
from store import job_figures
from store.calendar import WARN_AHEAD, WorkCalendar
from store.commands.edge import Moment, Store, now, opened
from store.commands.exporting import export_jobs
from store.commands.office import office
from store.contact import CIVIL_TIME
from store.errors import SchemaMismatch, StoreUnavailable
from store.jobs import Done, Job, clockwork, run
from store.low_index import Limits
from store.retention import Retention

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
SENDERS_END_SECONDS = 5.0

log = structlog.get_logger("jobs")


@click.command()
@click.option("--once", is_flag=True, help="Do what is due and end (exit 1 if the database is down).")
@click.option("--now", "moment", type=Moment(), help="With --once: act as if it were this time.")
def jobs(once: bool, moment: datetime | None) -> None:
    """Do what is due by the clock: deem, remind, recount, expire, warn, publish, delete what was kept long enough.

    EXPORT_TARGETS are sent what they are owed beside it.
    """
    if moment and not once:
        raise click.UsageError("--now goes with --once: a clock that stands still would do everything once anyway")
    set_up_logs()
    with opened() as store:
        if once:
            _once(store, moment or now())
        else:
            _until_told_to_stop(store)


def _once(store: Store, moment: datetime) -> None:
    try:
        done = Round(store)(moment, lambda: False)
        done += Exports(store, export_jobs(store, lambda: moment))(moment, lambda: False)
    except (StoreUnavailable, SchemaMismatch) as error:
        raise click.ClickException(str(error)) from error
    click.echo(", ".join(f"{each.rows} {each.job}" for each in done))


def _until_told_to_stop(store: Store) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    senders = [_Sending(store, job, stop) for job in export_jobs(store, now)]
    for sender in senders:
        sender.start()
    notify("READY=1")
    _go_on(store, Round(store), stop)
    notify("STOPPING=1")
    for sender in senders:
        sender.join(SENDERS_END_SECONDS)
        if sender.error:
            raise sender.error


def _go_on(store: Store, one_round: Callable[[datetime, Callable[[], bool]], list[Done]], stop: Event) -> None:
    """Do rounds until told to stop; while the store is down, wait ever longer and say so once."""
    pause = 0.0
    while not stop.is_set():
        try:
            one_round(now(), stop.is_set)
        except (StoreUnavailable, SchemaMismatch) as error:
            if not pause:
                log.error("jobs wait for the store", reason=str(error))
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2 or FIRST_PAUSE_SECONDS)
        else:
            if pause:
                log.info("jobs go on")
            pause = 0.0
        job_figures.STORE_DOWN.set(1 if pause else 0)
        stop.wait(pause or store.settings.jobs_seconds)


class _Sending(Thread):
    """One target's sending, beside the clock's work and other targets': a platform that hangs delays nobody else.

    At the end it may be left in the middle of a message: that goes out again under the same id.
    """

    def __init__(self, store: Store, job: Job, stop: Event) -> None:
        """Prepare; `error` holds the fault of the program that ended it."""
        super().__init__(name=job.name, daemon=True)
        self.error: Exception | None = None
        self._store, self._job, self._told_to_stop = store, job, stop

    def run(self) -> None:
        """Send until told to stop; a fault stops the whole process, to be seen and started again."""
        try:
            _go_on(self._store, Exports(self._store, [self._job]), self._told_to_stop)
        except Exception as error:  # noqa: BLE001  the main thread raises it
            self.error = error
            self._told_to_stop.set()


@dataclass(frozen=True, slots=True)
class Exports:
    """One round of sending to targets."""

    store: Store
    jobs: Sequence[Job]

    def __call__(self, moment: datetime, stopped: Callable[[], bool]) -> list[Done]:
        """Send what is due."""
        place = office(self.store.settings, self.store.engine, self.store.keys)
        done = run(place, self.jobs, _holder(), moment, stopped=stopped)
        _tell(done)
        return done


@dataclass(slots=True)
class Round:
    """One round of all jobs of a site; year files are read anew for each, so that one put there is found."""

    store: Store
    _warned_on: object = None

    def __call__(self, moment: datetime, stopped: Callable[[], bool]) -> list[Done]:
        """Do what is due at a moment."""
        place = office(self.store.settings, self.store.engine, self.store.keys)
        self._watch_calendar(place.policy.calendar, moment)
        done = run(place, _clockwork(self.store.settings), _holder(), moment, stopped=stopped)
        _tell(done)
        job_figures.LAST.set(moment.timestamp())
        return done

    def _watch_calendar(self, calendar: WorkCalendar, moment: datetime) -> None:
        """Say once a day that a year's working days are missing, while there is time to get them."""
        today = moment.astimezone(CIVIL_TIME).date()
        first = calendar.first_unpublished(today)
        job_figures.CALENDAR_DAYS.set((first - today).days if first else WARN_AHEAD.days)
        if first and self._warned_on != today:
            self._warned_on = today
            log.warning("working days are not published: put a year file into CALENDARS", year=first.year, first=first)


def _tell(done: Sequence[Done]) -> None:
    for each in done:
        job_figures.DONE.labels(each.job).inc(each.rows)
        if each.rows:
            log.info("done", job=each.job, rows=each.rows)


def _clockwork(settings: Settings) -> list[Job]:
    limits = Limits(settings.low_index, settings.low_index_minimum)
    return clockwork(
        deeming=settings.deemed,
        limits=limits,
        weights=settings.weights,
        publish_after_days=settings.publish_after_days,
        retention=Retention.of_days(
            caller=settings.retention_caller_days,
            comment=settings.retention_comment_days,
            note=settings.retention_note_days,
        ),
    )


def _holder() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"
