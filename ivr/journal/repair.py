"""Make the folder of a writer that died whole again: cut what follows the last whole record, and keep what was cut."""

import os
from dataclasses import dataclass
from pathlib import Path

from ivr.journal.acknowledgement import sync_folder
from ivr.journal.segment import Entry, Position, read_header, segment_numbers, segment_path, split


@dataclass(frozen=True, slots=True)
class Cut:
    """Bytes after a segment's last whole record: never acknowledged to anybody. `kept_in` holds them for inspection."""

    at: Position
    size: int
    kept_in: Path

    def __str__(self) -> str:
        return f"{self.size} bytes of a record nobody was promised were cut off at {self.at} and kept in {self.kept_in}"


def repair(folder: Path) -> list[Cut]:
    """Seal every segment whose end no later segment names: usually the last one, where the writer died."""
    cuts = []
    for number in reversed(segment_numbers(folder)):
        cuts += _seal(folder, number)
        if read_header(segment_path(folder, number)) is not None:
            break  # what lies before it was sealed when this one began
    sync_folder(folder)
    return cuts[::-1]


def sealed_end(folder: Path, number: int) -> int:
    """Where a repaired or closed segment ends; 0 if it is not there."""
    path = segment_path(folder, number)
    if not path.exists():
        return 0
    return max(
        (e.after.offset for e in split(path.read_bytes(), Position(number, 0)) if isinstance(e, Entry)), default=0
    )


def _seal(folder: Path, number: int) -> list[Cut]:
    path = segment_path(folder, number)
    data, end = path.read_bytes(), sealed_end(folder, number)
    torn = data[end:].rstrip(b"\0")
    cuts = [Cut(Position(number, end), len(torn), _keep(folder, number, end, torn))] if torn else []
    if cuts and cuts[0].kept_in == path:
        return cuts  # no room to keep the torn bytes elsewhere: they stay where they are, beyond the end
    if end == 0:
        path.unlink()
    else:
        _truncate(path, end)
    return cuts


def _keep(folder: Path, number: int, offset: int, torn: bytes) -> Path:
    kept = folder / "torn" / f"{number:012d}-{offset}"
    try:
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        kept.write_bytes(torn)
        kept.chmod(0o600)
    except OSError:
        kept.unlink(missing_ok=True)
        return segment_path(folder, number)
    return kept


def _truncate(path: Path, end: int) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(descriptor, end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
