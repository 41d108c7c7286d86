"""All journals of a machine into the store, for as long as the process lives.

A store that is down is said once when it goes and once when it is back, with the number of calls waiting; in between
it is tried with growing pauses. Nothing is given up and no caller notices.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import structlog

from ivr.delivery import figures
from ivr.delivery.journal_delivery import JournalDelivery, Recorder
from ivr.journal import JournalLocked
from store.errors import StoreError

POLL_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
LOOK_FOR_JOURNALS_EVERY = 20  # polls

log = structlog.get_logger("delivery")


def _now() -> datetime:
    return datetime.now(UTC)


class Courier:
    """Carries every journal under a folder (one per node) into one store."""

    def __init__(self, journals: Path, recorder: Recorder, *, clock: Callable[[], datetime] = _now) -> None:
        """`journals` may be empty or not there yet. Raises JournalLocked if a journal is delivered by another."""
        self._journals = journals
        self._recorder = recorder
        self._clock = clock
        self._deliveries: dict[Path, JournalDelivery] = {}
        self._pause = 0.0
        self._left_to_others: set[Path] = set()
        for folder in self._new_journals():
            self._take_up(folder)

    def run(self, stop: Event) -> None:
        """Deliver until `stop` is set, then once more what is there by then."""
        polls = 0
        while not stop.wait(self._pause or POLL_SECONDS):
            polls += 1
            if polls % LOOK_FOR_JOURNALS_EVERY == 0:
                self._look_again()
            try:
                while self._round() is not None and not stop.is_set():
                    self._back()
            except (StoreError, OSError) as error:
                self._down(error)
            self._report()
        self._finish()
        self.close()

    def _finish(self) -> None:
        """Take what is durable by now, such as the last calls of a node that stopped before us; no waiting."""
        self._look_again()
        try:
            self.run_once()
        except (StoreError, OSError) as error:
            log.warning("stopped with calls still in the journal", reason=str(error), waiting=self.waiting())

    def run_once(self) -> int:
        """Deliver what is durable now; gives the number of calls. Raises StoreError or OSError if that fails."""
        delivered = 0
        while (calls := self._round()) is not None:
            delivered += calls
        return delivered

    def waiting(self) -> int:
        """Ended calls that are not in the store yet."""
        return sum(delivery.waiting() for delivery in self._deliveries.values())

    def close(self) -> None:
        """Let others deliver."""
        for delivery in self._deliveries.values():
            delivery.close()

    def _round(self) -> int | None:
        """One batch of each journal; None when there was nothing to do in any.

        A journal that cannot be acknowledged (OSError) must not hold up the others: its error is raised last.
        """
        delivered: list[int] = []
        fault: OSError | None = None
        for delivery in self._deliveries.values():
            try:
                calls = delivery.step()
            except OSError as error:
                fault = error
                continue
            if calls is not None:
                delivered.append(calls)
        if fault is not None:
            raise fault
        return sum(delivered) if delivered else None

    def _new_journals(self) -> list[Path]:
        folders = sorted(self._journals.glob("*/durable")) if self._journals.is_dir() else []
        return [path.parent for path in folders if path.parent not in self._deliveries]

    def _take_up(self, folder: Path) -> None:
        self._deliveries[folder] = JournalDelivery(folder, self._recorder, self._clock)
        log.info("delivering a journal", journal=folder.name)

    def _look_again(self) -> None:
        """Take up journals that are new; one that another process delivers is said once and left to it."""
        for folder in self._new_journals():
            try:
                self._take_up(folder)
            except JournalLocked as locked:
                if folder not in self._left_to_others:
                    log.warning("a journal is left to another process", reason=str(locked))
                self._left_to_others.add(folder)

    def _down(self, error: StoreError | OSError) -> None:
        if not self._pause:
            log.error("delivery waits, calls are kept in the journal", reason=str(error), waiting=self.waiting())
        self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2 or FIRST_PAUSE_SECONDS)

    def _back(self) -> None:
        if self._pause:
            log.info("delivery goes on", waiting=self.waiting())
            self._pause = 0.0

    def _report(self) -> None:
        deliveries = self._deliveries.values()
        figures.STORE_DOWN.set(1 if self._pause else 0)
        figures.WAITING.set(sum(delivery.waiting() for delivery in deliveries))
        figures.OLDEST.set(max((delivery.oldest_waiting_seconds() for delivery in deliveries), default=0.0))
