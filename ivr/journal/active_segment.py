"""The segment being written: groups of lines, each group durable before it counts."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from ivr.journal.segment import Header, Position, encode


class ActiveSegment:
    """An open, allocated segment. `end` is where the next line goes: everything before it is on the disk."""

    def __init__(
        self, descriptor: int, *, header: Header, size: int, last_words: bool, sync: Callable[[int], None]
    ) -> None:
        """Write the header durably. `last_words`: made of the reserve, so only for records that may use it."""
        self._descriptor = descriptor
        self._sync = sync
        self.number = header.number
        self.last_words = last_words
        self.size = size
        self.end = 0
        self.end = self.write([encode(header.payload())])

    @property
    def position(self) -> Position:
        """Where it ends."""
        return Position(self.number, self.end)

    def write(self, lines: Sequence[bytes]) -> int:
        """Put the lines on the disk and return where they end; `end` itself is the caller's to move.

        Raises OSError: then the segment is to be given up, for the kernel may have dropped what it could not write
        and a second fsync would lie about it.
        """
        data, at = memoryview(b"".join(lines)), self.end
        while data:
            written = os.pwrite(self._descriptor, data, at)
            data, at = data[written:], at + written
        self._sync(self._descriptor)
        return at

    def seal(self) -> None:
        """Give back what was allocated beyond the end."""
        with suppress(OSError):  # what follows the end is void anyway: the next segment's header names the end
            os.ftruncate(self._descriptor, self.end)
        self.abandon()

    def abandon(self) -> None:
        """Never touch it again."""
        with suppress(OSError):
            os.close(self._descriptor)
