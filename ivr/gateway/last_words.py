"""The ends of calls: written together a moment later, and kept in memory if the journal would not take them.

Nobody waits for the end of a call to be durable, so those of a fifth of a second share one commit. What is kept is
bounded: past the limit the oldest is dropped and counted, because a node must not die of a full disk. A call whose
end is lost, this way or with the process, is ended by the node's next start (`journal_records.unfinished`).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import structlog

from ivr.gateway import figures
from ivr.gateway.journal_records import EndedRecord
from ivr.journal import Position

log = structlog.get_logger("journal")

GATHER_SECONDS = 0.2
MOST_WAITING = 10_000
TRY_AGAIN_SECONDS = 2.0

Append = Callable[[bytes], "Future[Position]"]


class LastWords:
    """Appends with `append`; what fails waits and goes first when there is room again."""

    def __init__(self, append: Append) -> None:
        """`append` writes one payload with the journal's reserve allowed."""
        self._append = append
        self._said: list[EndedRecord] = []
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def say(self, ended: EndedRecord) -> None:
        """Write one end of a call, soon or as soon as the journal takes it."""
        self._said.append(ended)
        if len(self._said) == 1:
            self._loop.call_later(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what was said so far at once; before the journal closes."""
        said, self._said = self._said, []
        for ended in said:
            self._write(ended.payload())

    def _write(self, payload: bytes) -> None:
        self._append(payload).add_done_callback(lambda done: self._done(payload, done.exception()))

    def _done(self, payload: bytes, fault: BaseException | None) -> None:
        """In the journal's thread: only a fault is worth waking the loop for."""
        if fault is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._keep, payload, fault)

    def _keep(self, payload: bytes, fault: BaseException) -> None:
        if not self._waiting:
            log.error("the end of a call waits for room in the journal", fault=str(fault))
        self._waiting.append(payload)
        figures.note(figures.LAST_WORDS, len(self._waiting))
        if self._timer is None:
            self._timer = self._loop.call_later(TRY_AGAIN_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._timer = None
        waiting = list(self._waiting)
        self._waiting.clear()
        figures.note(figures.LAST_WORDS, 0)
        for payload in waiting:
            self._write(payload)
