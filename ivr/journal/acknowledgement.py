"""Two small files that say how far things are: `durable` (the writer's) and `acknowledged` (the reader's).

`durable` is overwritten in place after each group commit and need not survive a power cut: the writer's next start
sets it anew. `acknowledged` must never be half written nor run ahead of the disk: new file, fsync, rename, fsync.
"""

import os
import zlib
from pathlib import Path

from ivr.journal.segment import Position


def read_position(path: Path) -> Position | None:
    """The position in a file, or None if there is none or it was caught half written."""
    found = read_position_and_note(path)
    return None if found is None else found[0]


def read_position_and_note(path: Path) -> tuple[Position, str] | None:
    """The position in a file and the note left with it."""
    try:
        line, _, note = path.read_text("ascii").partition("\n")
        segment, offset, _checksum = line.split()
        position = Position(int(segment), int(offset))
    except (FileNotFoundError, ValueError):
        return None
    return (position, note) if line == _line(position, note) else None


def write_position(path: Path, position: Position, note: str = "") -> None:
    """Replace the file so that after a power cut it holds either the old position and note or the new ones."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, f"{_line(position, note)}\n{note}".encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.rename(path)
    sync_folder(path.parent)


class DurableMark:
    """The writer's end of `durable`: one small write per commit, always the same length in the same block."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)

    def set(self, position: Position) -> None:
        """Let readers go as far as this."""
        os.pwrite(self._descriptor, f"{_line(position)}\n".encode("ascii"), 0)

    def close(self) -> None:
        """Close it with its last value on disk."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(position: Position, note: str = "") -> str:
    text = f"{position.segment:012d} {position.offset:012d}"
    return f"{text} {zlib.crc32((text + note).encode('ascii')):08x}"
