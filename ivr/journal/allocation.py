"""Room before it is needed: the next segment and the reserve are allocated in advance.

So a full disk or a reached limit is met here, at allocation, and never in the middle of a record.
"""

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from ivr.journal.acknowledgement import read_position, sync_folder
from ivr.journal.errors import JournalFull
from ivr.journal.reader import delete_segments
from ivr.journal.segment import segment_path


class Spare(StrEnum):
    """Files that are allocated but hold no record yet."""

    NEXT = "next"  # becomes the next segment
    RESERVE = "reserve"  # a small one for last words, when there is no next segment


class Allocation:
    """The journal's room on disk, within `max_bytes` for everything in the folder."""

    def __init__(self, folder: Path, *, max_bytes: int, segment_bytes: int, reserve_bytes: int) -> None:
        if max_bytes < 3 * segment_bytes + reserve_bytes:
            raise ValueError("a journal needs room for three segments and its reserve")
        self._folder = folder
        self._max_bytes = max_bytes
        self._sizes = {Spare.NEXT: segment_bytes, Spare.RESERVE: reserve_bytes}

    def used(self) -> int:
        """Bytes the folder's files take, allocated ones included."""
        total = 0
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # the reader deletes what it has acknowledged at any time
                total += path.stat().st_size
        return total

    def has(self, spare: Spare) -> bool:
        """Whether it lies ready."""
        path = self._folder / spare
        return path.exists() and path.stat().st_size == self._sizes[spare]

    def prepare(self, spare: Spare) -> None:
        """Allocate the spare file unless it is there. Raises JournalFull in words, leaving nothing half made."""
        if self.has(spare):
            return
        size, path = self._sizes[spare], self._folder / spare
        path.unlink(missing_ok=True)
        if self.used() + size > self._max_bytes:
            self._drop_acknowledged()
        if (used := self.used()) + size > self._max_bytes:
            raise JournalFull(f"the journal's limit is reached: {used:,} of {self._max_bytes:,} bytes are in use")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            os.fsync(descriptor)
        except OSError as error:
            path.unlink()
            raise JournalFull(f"no room for {size:,} bytes more in {self._folder}: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def take(self, spare: Spare, number: int) -> tuple[int, int]:
        """Make a spare file the segment `number`; returns its open descriptor and its size in bytes."""
        path = segment_path(self._folder, number)
        (self._folder / spare).rename(path)
        sync_folder(self._folder)
        return os.open(path, os.O_WRONLY), self._sizes[spare]

    def _drop_acknowledged(self) -> None:
        """Give up the acknowledged segments that were kept for the curious."""
        acknowledged = read_position(self._folder / "acknowledged")
        if acknowledged is not None:
            delete_segments(self._folder, acknowledged, keep=0)
