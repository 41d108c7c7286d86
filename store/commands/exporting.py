"""What the jobs and `export` share: a site's targets, ready to be sent to. Rule: chance and time come in here."""

import random
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import click

from store import export_figures
from store.case_act import Office
from store.commands.edge import Store
from store.exports.answer import Again, Delivered, Refused, Verdict
from store.exports.exporter import Exporter
from store.exports.outbox import DEAD, WAITING
from store.exports.reconciliation import status
from store.exports.sending import Sender
from store.exports.targets import Target, load_targets
from store.jobs import Job

NONCE_BYTES = 16


def targets(store: Store) -> dict[str, Target]:
    """Read EXPORT_TARGETS; empty where nothing is to be sent."""
    return load_targets(Path(store.settings.export_targets)) if store.settings.export_targets else {}


def target(store: Store, name: str) -> Target:
    """Give one target, or say which there are."""
    found = targets(store)
    if name not in found:
        raise click.UsageError(f"there is no export target {name}: EXPORT_TARGETS has {', '.join(found) or 'none'}")
    return found[name]


def export_jobs(store: Store, clock: Callable[[], datetime]) -> list[Job]:
    """Give a job for each target; each keeps its connections."""
    return [_job(store, each, clock) for each in targets(store).values()]


def _job(store: Store, to: Target, clock: Callable[[], datetime]) -> Job:
    exporter = Exporter(
        store.engine,
        store.cipher,
        to,
        Sender(to),
        clock,
        chance=random.random,
        nonce=lambda: secrets.token_hex(NONCE_BYTES),
        report=lambda verdict: export_figures.SENT.labels(to.name, _result(verdict)).inc(),
    )

    def batches(_office: Office, _now: datetime) -> Iterator[int]:
        yield from exporter.batches()
        _show(store, to.name)

    return Job(f"exported_{to.name}", batches)


def _result(verdict: Verdict) -> str:
    match verdict:
        case Delivered(duplicate):
            return "duplicate" if duplicate else "delivered"
        case Again():
            return "failed"
        case Refused():
            return "dead"


def _show(store: Store, name: str) -> None:
    rows = status(store.engine, name)
    export_figures.WAITING.labels(name).set(sum(row.count for row in rows if row.status == WAITING))
    export_figures.DEAD.labels(name).set(sum(row.count for row in rows if row.status == DEAD))
