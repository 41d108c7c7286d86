"""One process per role in a journal's folder, by flock: it is released by the kernel however the process dies."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from ivr.journal.errors import JournalLocked


class FolderLock:
    """Held from construction to `release`. Raises JournalLocked with the holder's process number."""

    def __init__(self, folder: Path, name: str, doing: str) -> None:
        self._descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise JournalLocked(f"the journal {folder} is already {doing} by process {holder}") from error
        with suppress(OSError):  # a full disk may not even hold the number; the lock itself needs no room
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let the next one in. The file stays: deleting it would let two in at once."""
        os.close(self._descriptor)
