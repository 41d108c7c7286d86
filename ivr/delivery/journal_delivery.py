"""One journal into the store, batch by batch: stored or set aside first, acknowledged after.

Dying between the two is harmless: the batch comes again and the store ignores what it has.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from ivr.delivery import figures
from ivr.delivery.set_aside import SetAside
from ivr.delivery.settling import Poison, Settled, Settling
from ivr.journal import Damage, Entry, JournalReader
from store.call import SettledCall
from store.evaluation import ALREADY_EVALUATED
from store.record import Recorded, Refused

BATCH_CALLS = 200

log = structlog.get_logger("delivery")


class Recorder(Protocol):
    """Where calls go: `store.record.Recorder` here, the HTTPS API on a remote site."""

    def record(self, calls: Sequence[SettledCall]) -> list[Recorded | Refused]:
        """Record calls idempotently, reporting on each in the same order. Raises StoreError: nothing is recorded."""


@dataclass(frozen=True, slots=True)
class _Batch:
    settled: list[Settled]
    poison: list[Poison]
    ended: int  # records that end a call, whatever came of them


class JournalDelivery:
    """Delivers one journal's folder. Raises JournalLocked if another process does."""

    def __init__(self, folder: Path, recorder: Recorder, clock: Callable[[], datetime]) -> None:
        self._recorder = recorder
        self._clock = clock
        self._reader = JournalReader(folder)
        self._reader.open()
        self._set_aside = SetAside(folder)
        self._at = self._reader.acknowledged()
        self._acknowledged = (self._at, self._reader.note())
        self._settling = Settling(*self._acknowledged)
        self._entries: Iterator[Entry | Damage] = iter(())
        self._batch: _Batch | None = None
        self._counted_to, self._waiting = self._at, 0

    def step(self) -> int | None:
        """Deliver one batch; gives the calls now in the store, or None when there is nothing to do.

        Raises StoreError or OSError, after which the same batch is tried again.
        """
        if self._batch is None:
            self._batch = self._read_batch()
        if self._batch is None:
            return None
        calls = [settled.call for settled in self._batch.settled]
        reports = self._recorder.record(calls) if calls else []
        return self._finish(self._batch, reports)

    def waiting(self) -> int:
        """Ended calls that are not in the store yet, those not even read included."""
        for entry in self._reader.entries(self._counted_to):
            self._waiting += _ends_a_call(entry)
            self._counted_to = entry.after
        return self._waiting

    def oldest_waiting_seconds(self) -> float:
        """How long ago the first call of the batch at hand ended; 0 with none at hand."""
        if self._batch is None or not self._batch.settled:
            return 0.0
        return max(0.0, (self._clock() - self._batch.settled[0].call.ended_at).total_seconds())

    def close(self) -> None:
        """Let another process deliver this journal."""
        self._reader.close()

    def _read_batch(self) -> _Batch | None:
        settled: list[Settled] = []
        poison: list[Poison] = []
        ended = 0
        began_at = self._at
        while len(settled) + len(poison) < BATCH_CALLS and (entry := self._next_entry()):
            self._at = entry.after
            ended += _ends_a_call(entry)
            match self._settling.take(entry):
                case Settled() as one:
                    settled.append(one)
                case Poison() as one:
                    poison.append(one)
                case None:
                    pass
        return None if self._at == began_at else _Batch(settled, poison, ended)

    def _next_entry(self) -> Entry | Damage | None:
        """Go on where the last batch stopped; when that is used up, look how far the writer is now."""
        entry = next(self._entries, None)
        if entry is None:
            self._entries = self._reader.entries(self._at)
            entry = next(self._entries, None)
        return entry

    def _finish(self, batch: _Batch, reports: Sequence[Recorded | Refused]) -> int:
        refused = [
            Poison(settled.position, report.reason, settled.records, settled.call.id)
            for settled, report in zip(batch.settled, reports, strict=True)
            if isinstance(report, Refused)
            and report.reason != ALREADY_EVALUATED  # by setting: it stands so in the store
        ]
        self._put_aside([*batch.poison, *refused])
        self._acknowledge()
        self._batch = None
        self.waiting()
        self._waiting -= batch.ended
        delivered = len(batch.settled) - len(refused)
        figures.DELIVERED.inc(delivered)
        return delivered

    def _acknowledge(self) -> None:
        settled = self._settling.acknowledgeable()
        if settled != self._acknowledged:  # it costs two fsyncs, and the records of running calls move nothing
            self._reader.acknowledge(*settled)
            self._acknowledged = settled

    def _put_aside(self, poison: Sequence[Poison]) -> None:
        new = self._set_aside.add(poison, self._clock())
        figures.SET_ASIDE.inc(new)
        if new:
            log.error(
                "set aside: no store will take it",
                count=new,
                reasons=sorted({one.reason for one in poison}),
                kept_in=str(self._reader.folder / "set_aside.jsonl"),
            )


def _ends_a_call(entry: Entry | Damage) -> bool:
    return isinstance(entry, Entry) and b'"kind":"ended"' in entry.payload
