"""Reading a journal, in the writer's process or another: only what is durable, in order, damage named.

The reader alone acknowledges; a segment that is wholly acknowledged is deleted.
"""

import errno
import time
from collections.abc import Iterator
from pathlib import Path

from ivr.journal.acknowledgement import read_position, read_position_and_note, write_position
from ivr.journal.folder_lock import FolderLock
from ivr.journal.segment import Damage, Entry, Position, parse_header, read_header, segment_numbers, segment_path, split

START = Position(0, 0)


class JournalReader:
    """The one reader of a journal's folder. `open` is needed only to acknowledge; looking is free to all."""

    def __init__(self, folder: Path, *, keep_segments: int = 1) -> None:
        self.folder = folder
        self._keep_segments = keep_segments
        self._lock: FolderLock | None = None

    def open(self) -> None:
        """Become the one who acknowledges. Raises JournalLocked naming the process that is."""
        self._lock = FolderLock(self.folder, "reader.lock", "being delivered")

    def close(self) -> None:
        """Let another reader in."""
        if self._lock:
            self._lock.release()
            self._lock = None

    def durable(self) -> Position:
        """How far the records are on disk: cheap enough to ask ten times a second."""
        path = self.folder / "durable"
        for _ in range(3):
            if (mark := read_position(path)) is not None:
                return mark
            time.sleep(0.001)  # the writer was just writing it
        return START

    def acknowledged(self) -> Position:
        """Up to where everything is done with."""
        return read_position(self.folder / "acknowledged") or START

    def note(self) -> str:
        """What the reader left with its last acknowledgement."""
        found = read_position_and_note(self.folder / "acknowledged")
        return "" if found is None else found[1]

    def entries(self, start: Position | None = None) -> Iterator[Entry | Damage]:
        """Everything durable after `start` (default: the acknowledged position), oldest first.

        Ends when it has caught up with the writer; ask again from the last `after`.
        """
        start = self.acknowledged() if start is None else start
        mark = self.durable()
        if start >= mark:
            return
        expected = start.segment
        for number in segment_numbers(self.folder):
            if not start.segment <= number <= mark.segment:
                continue
            begin = start.offset if number == start.segment else 0
            if expected < number and expected > 0:
                yield Damage(Position(expected, begin), Position(number, 0), b"", "segments are missing")
            yield from self._segment(number, begin, mark.offset if number == mark.segment else None)
            expected = number + 1

    def read(self, start: Position | None = None) -> Iterator[tuple[Position, bytes]]:
        """Whole records only, each with the position after it."""
        for entry in self.entries(start):
            if isinstance(entry, Entry):
                yield entry.after, entry.payload

    def acknowledge(self, position: Position, note: str = "") -> None:
        """Everything before `position` is done with, for good; never goes back.

        `note` (ASCII) is kept with it, both or neither: what the reader must know when it starts from there. Only
        the process that called `open` may do this. Raises OSError if the disk refuses: nothing is lost, the same
        records come again.
        """
        if self._lock is None:
            raise RuntimeError("open the reader before acknowledging")
        if position < self.acknowledged():
            return
        try:
            write_position(self.folder / "acknowledged", position, note)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            # A full disk has no room even for this. What is about to be acknowledged may go first: a crash in
            # between leaves a position before the first segment, which reads as "from the first segment".
            delete_segments(self.folder, position, keep=0)
            write_position(self.folder / "acknowledged", position, note)
        delete_segments(self.folder, position, keep=self._keep_segments)

    def _segment(self, number: int, begin: int, durable_end: int | None) -> Iterator[Entry | Damage]:
        try:
            data = self._bytes(number, begin, durable_end)
        except FileNotFoundError:
            return  # acknowledged and deleted meanwhile
        end = durable_end if durable_end is not None else self._sealed_end(number, begin + len(data))
        if begin > end:
            return
        for entry in split(data[: end - begin], Position(number, begin)):
            if entry.before.offset == 0 and isinstance(entry, Entry) and parse_header(entry.payload):
                continue
            yield entry
        if begin + len(data) < end:
            yield Damage(Position(number, begin + len(data)), Position(number, end), b"", "the file is cut short")

    def _bytes(self, number: int, begin: int, end: int | None) -> bytes:
        with segment_path(self.folder, number).open("rb") as file:
            file.seek(begin)
            return file.read(-1 if end is None else max(0, end - begin))

    def _sealed_end(self, number: int, size: int) -> int:
        """Where a segment ended, in the words of the next one; a file without a next one ends where it ends."""
        header = read_header(segment_path(self.folder, number + 1))
        return size if header is None else header.previous_end


def delete_segments(folder: Path, acknowledged: Position, *, keep: int) -> None:
    """Delete the segments that are wholly acknowledged, but for the last `keep` of them."""
    done = [number for number in segment_numbers(folder) if number < acknowledged.segment]
    for number in done[: max(0, len(done) - keep)]:
        segment_path(folder, number).unlink(missing_ok=True)
