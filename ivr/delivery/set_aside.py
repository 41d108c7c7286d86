"""What no store will take, kept beside the journal for a person: one JSON object per line, each once.

The lines hold what the records held: the caller's number is ciphertext there and stays so here.
"""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ivr.delivery.settling import Poison


class SetAside:
    """`set_aside.jsonl` of one journal."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "set_aside.jsonl"
        self._known = set(_positions(self._path))

    def add(self, poison: Sequence[Poison], now: datetime) -> int:
        """Keep what is not kept yet, durably; returns how many that were. Raises OSError: then nothing is kept."""
        new = [one for one in poison if str(one.position) not in self._known]
        if new:
            self._append("".join(_line(one, now) for one in new).encode())
            self._known |= {str(one.position) for one in new}
        return len(new)

    def _append(self, lines: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                lines = b"\n" + lines  # a process that died here left half a line
            os.write(descriptor, lines)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _line(poison: Poison, now: datetime) -> str:
    fields = {
        "position": str(poison.position),
        "set_aside_at": now.isoformat(),
        "call": poison.call,
        "reason": poison.reason,
        "records": poison.records,
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _positions(path: Path) -> list[str]:
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(str(json.loads(line)["position"]))
        except (ValueError, KeyError, TypeError):
            continue  # half a line: what it was about comes again
    return found
