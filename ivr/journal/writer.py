"""The one writer of a journal: appends from any thread, group commits in a thread of its own.

A future resolves only after its record is on the disk. A segment that failed is never trusted again: the group moves
to a fresh one, once; if that fails too the journal says so and accepts nothing more.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import structlog

from ivr.journal.acknowledgement import DurableMark
from ivr.journal.active_segment import ActiveSegment
from ivr.journal.allocation import Allocation, Spare
from ivr.journal.errors import JournalError, JournalFailed, JournalFull
from ivr.journal.folder_lock import FolderLock
from ivr.journal.reader import JournalReader
from ivr.journal.repair import Cut, repair, sealed_end
from ivr.journal.segment import Header, Position, encode, segment_numbers
from ivr.journal.state import Alarm, AlarmKind, Figures

LOOK_FOR_ROOM_SECONDS = 0.2
HEADER_ROOM = 128

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Pending:
    line: bytes
    reserve: bool
    future: "Future[Position]"


class Journal:
    """A node's journal, for writing; `reader` looks into it."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        segment_bytes: int | None = None,
        reserve_bytes: int | None = None,
        on_alarm: Callable[[Alarm], None] | None = None,
        sync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        """`on_alarm` is called in the writer's thread (during `open`: the caller's); every alarm is logged besides.

        Segments are 8 MiB and the reserve 1 MiB unless `max_bytes` is small or the sizes are given.
        """
        segment_bytes = segment_bytes or min(8 << 20, max_bytes // 8)
        reserve_bytes = reserve_bytes or min(1 << 20, max_bytes // 16)
        self.folder = folder
        self.reader = JournalReader(folder)
        self._max_bytes = max_bytes
        self._max_line = min(segment_bytes, reserve_bytes) - HEADER_ROOM
        self._allocation = Allocation(
            folder, max_bytes=max_bytes, segment_bytes=segment_bytes, reserve_bytes=reserve_bytes
        )
        self._on_alarm = on_alarm
        self._sync = sync
        self._waiting: SimpleQueue[_Pending | None] = SimpleQueue()  # None: the journal closes
        self._entrance = threading.Lock()
        self._closing = self._drained = False
        self._segment: ActiveSegment | None = None
        self._last = Position(0, 0)  # where the segment before the next one ends
        self._stocked = False  # both spare files lie ready: nothing to look for until one is taken
        self._failed: JournalFailed | None = None
        self._failures_in_a_row = 0
        self._full: JournalFull | None = None
        self._look_again_at = 0.0
        self._trouble: AlarmKind | None = None
        self._appended = 0

    def open(self) -> list[Cut]:
        """Take the folder, repair what a dead writer left, allocate, start the writer's thread.

        Returns what had to be cut. Raises JournalLocked, or JournalFull if there is no room even for last words.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as undo:
            self._lock = FolderLock(self.folder, "writer.lock", "being written")
            undo.callback(self._lock.release)
            cuts = repair(self.folder)
            self._mark = DurableMark(self.folder / "durable")
            undo.callback(self._mark.close)
            self._begin()
            undo.pop_all()
        for cut in cuts:
            self._alarm(AlarmKind.TORN, str(cut))
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()
        return cuts

    def append(self, payload: bytes, *, reserve: bool = False) -> "Future[Position]":
        """Append one record; the future gives the position after it, once it is durable.

        `reserve` lets last words use the reserve when the rest is full. The future raises JournalFull or
        JournalFailed; a payload that is no record raises ValueError here.
        """
        line = encode(payload)
        if len(line) > self._max_line:
            raise ValueError(f"a record of {len(payload)} bytes is too long for this journal")
        future: Future[Position] = Future()
        future.set_running_or_notify_cancel()  # a record that may be on its way to the disk cannot be taken back
        pending = _Pending(line, reserve, future)
        with self._entrance:
            if self._closing:
                raise JournalFailed("the journal is closed")
            self._waiting.put(pending)
        return future

    def read(self, start: Position | None = None) -> Iterator[tuple[Position, bytes]]:
        """Durable records after `start` (default: after what is acknowledged), oldest first."""
        return self.reader.read(start)

    def figures(self) -> Figures:
        """Cheap enough for every scrape of the metrics."""
        return Figures(
            bytes_used=self._allocation.used(),
            max_bytes=self._max_bytes,
            segments=len(segment_numbers(self.folder)),
            appended=self._appended,
            durable=self.reader.durable(),
            acknowledged=self.reader.acknowledged(),
            full=self._trouble is AlarmKind.FULL,
            failed=self._failed is not None,
        )

    def close(self) -> None:
        """Write what is waiting, give back what was allocated beyond it, and let the next writer in."""
        with self._entrance:
            if self._closing:
                return
            self._closing = True
            self._waiting.put(None)
        self._thread.join()
        if self._segment is not None:
            self._segment.seal()
        self._mark.close()
        self._lock.release()

    def _begin(self) -> None:
        """Start on a segment of its own: an old one is never appended to, so positions only grow."""
        numbers = segment_numbers(self.folder)
        last = numbers[-1] if numbers else 0
        self._last = Position(last, sealed_end(self.folder, last))
        self._allocation.prepare(Spare.RESERVE)
        try:
            self._next_segment(reserve=False)
        except JournalFull as full:
            self._say_full(full)
        self._replenish()

    # What follows runs in the writer's thread.

    def _run(self) -> None:
        while group := self._take():
            try:
                while group:
                    group = self._commit(group)
                self._replenish()
            except Exception as error:  # noqa: BLE001  whoever waits for a future must hear of it, whatever it was
                self._fail(error)
                _refuse(group, JournalFailed(f"the journal stopped: {error!r}"))

    def _take(self) -> list[_Pending]:
        """Everything that gathered while the disk was busy: the group of one fsync. Empty: the journal closes."""
        group: list[_Pending] = []
        while not self._drained and not (group and self._waiting.empty()):
            pending = self._waiting.get()
            if pending is None:
                self._drained = True
            else:
                group.append(pending)
        return group

    def _commit(self, group: list[_Pending]) -> list[_Pending]:
        """Make the group's beginning durable, or refuse it; returns what is left to do."""
        if self._failed is not None:
            return _refuse(group, self._failed)
        try:
            segment = self._segment_for(group[0])
            fitting = _fitting(group, segment)
            end = segment.write([pending.line for pending in fitting])
            self._mark.set(Position(segment.number, end))
        except JournalFull as full:
            self._say_full(full)
            _refuse(group[:1], full)
            return group[1:]
        except OSError as error:
            self._give_up_segment(error)
            return group
        self._resolve(segment, fitting)
        return group[len(fitting) :]

    def _resolve(self, segment: ActiveSegment, written: list[_Pending]) -> None:
        self._failures_in_a_row = 0
        self._appended += len(written)
        for pending in written:
            segment.end += len(pending.line)
            pending.future.set_result(segment.position)

    def _segment_for(self, pending: _Pending) -> ActiveSegment:
        segment = self._segment
        if segment is not None and _may_take(segment, pending, segment.end):
            return segment
        if self._full is not None and time.monotonic() < self._look_again_at and not pending.reserve:
            raise self._full
        return self._next_segment(reserve=pending.reserve)

    def _next_segment(self, *, reserve: bool) -> ActiveSegment:
        """Go on in the next segment, or for last words in the reserve. Raises JournalFull, OSError."""
        spare = Spare.NEXT
        try:
            self._allocation.prepare(Spare.NEXT)
        except JournalFull:
            if not reserve or not self._allocation.has(Spare.RESERVE):
                raise
            spare = Spare.RESERVE
        if self._segment is not None:
            self._last = self._segment.position
            self._segment.seal()
            self._segment = None
        number = max(self._last.segment, self.reader.durable().segment, self.reader.acknowledged().segment) + 1
        self._stocked = False
        descriptor, size = self._allocation.take(spare, number)
        previous_end = self._last.offset if self._last.segment == number - 1 else 0
        self._last = Position(number, 0)
        self._segment = ActiveSegment(
            descriptor,
            header=Header(number, previous_end),
            size=size,
            last_words=spare is Spare.RESERVE,
            sync=self._sync,
        )
        self._mark.set(self._segment.position)
        return self._segment

    def _give_up_segment(self, error: OSError) -> None:
        self._failures_in_a_row += 1
        if self._segment is not None:
            self._last = self._segment.position
            self._segment.abandon()
            self._segment = None
        if self._failures_in_a_row > 1:
            self._fail(error)
        else:
            self._alarm(AlarmKind.MOVED, f"writing at {self._last} failed ({error}); going on in a fresh segment")

    def _fail(self, error: Exception) -> None:
        self._failed = JournalFailed(f"the journal {self.folder} cannot be written: {error}")
        self._alarm(AlarmKind.FAILED, str(self._failed))

    def _replenish(self) -> None:
        """Allocate ahead of need; also how the journal notices that there is room again."""
        if self._stocked or self._failed is not None:
            return
        if self._trouble is not None and time.monotonic() < self._look_again_at:
            return
        try:
            self._allocation.prepare(Spare.RESERVE)
            self._allocation.prepare(Spare.NEXT)
        except JournalFull as full:
            self._look_again_at = time.monotonic() + LOOK_FOR_ROOM_SECONDS
            if self._trouble is None:
                self._alarm(AlarmKind.LOW, f"{full}; the present segment still has room")
                self._trouble = AlarmKind.LOW
            return
        self._stocked = True
        if self._trouble is not None:
            self._trouble = self._full = None
            self._alarm(AlarmKind.ROOM, f"the journal {self.folder} has room again")

    def _say_full(self, full: JournalFull) -> None:
        self._full = full
        self._look_again_at = time.monotonic() + LOOK_FOR_ROOM_SECONDS
        if self._trouble is not AlarmKind.FULL:
            self._trouble = AlarmKind.FULL
            self._alarm(AlarmKind.FULL, f"{full}; answers are refused until there is room")

    def _alarm(self, kind: AlarmKind, sentence: str) -> None:
        say = log.info if kind is AlarmKind.ROOM else log.error
        say("journal " + kind.value, sentence=sentence)
        if self._on_alarm is not None:
            try:
                self._on_alarm(Alarm(kind, sentence))
            except Exception:
                log.exception("the alarm was not heard")  # a broken bell must not stop the journal


def _may_take(segment: ActiveSegment, pending: _Pending, at: int) -> bool:
    return at + len(pending.line) <= segment.size and (pending.reserve or not segment.last_words)


def _fitting(group: list[_Pending], segment: ActiveSegment) -> list[_Pending]:
    """The beginning of the group that the segment can take."""
    fitting, at = [], segment.end
    for pending in group:
        if not _may_take(segment, pending, at):
            break
        fitting.append(pending)
        at += len(pending.line)
    return fitting


def _refuse(group: list[_Pending], error: JournalError) -> list[_Pending]:
    for pending in group:
        if not pending.future.done():
            pending.future.set_exception(error)
    return []
