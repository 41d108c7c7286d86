"""The form of a journal on disk: lines in numbered segment files, each line checked by a CRC-32.

A record is `<crc32 as 8 hex digits> <payload>\\n`; the payload is any bytes without a line end, in practice JSON,
so that an engineer reads a journal with `less`. The first line of each segment is its header, which says where the
segment before it ended: whatever lies beyond that was never acknowledged.
"""

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_PAYLOAD_BYTES = 65536
OVERHEAD_BYTES = 10  # CRC, blank, line end

_NAME = re.compile(r"(\d{12})\.segment")
_START = re.compile(rb"[0-9a-f]{8} ")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two records: a segment's number and a byte offset in it. Positions only grow."""

    segment: int
    offset: int

    def __str__(self) -> str:
        return f"{self.segment}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A whole record, between two positions."""

    before: Position
    after: Position
    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record, between two positions, and why."""

    before: Position
    after: Position
    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Header:
    """A segment's first line."""

    number: int
    previous_end: int

    def payload(self) -> bytes:
        """The header as a record's payload."""
        return json.dumps({"kind": "segment", "number": self.number, "previous_end": self.previous_end}).encode()


def encode(payload: bytes) -> bytes:
    """One record's line. Raises ValueError for a payload that is empty, too long or holds a line end."""
    if not payload or len(payload) > MAX_PAYLOAD_BYTES or b"\n" in payload:
        raise ValueError(f"a journal record is one line of 1 to {MAX_PAYLOAD_BYTES} bytes")
    return b"%08x %b\n" % (zlib.crc32(payload), payload)


def decode(line: bytes) -> bytes | None:
    """The payload of a line given without its line end, or None if the line is not what was written."""
    checksum, blank, payload = line[:8], line[8:9], line[9:]
    return payload if blank == b" " and payload and checksum == b"%08x" % zlib.crc32(payload) else None


def parse_header(payload: bytes) -> Header | None:
    """The header that is a segment's first record, or None if that record is something else."""
    try:
        fields = json.loads(payload)
        return Header(int(fields["number"]), int(fields["previous_end"])) if fields["kind"] == "segment" else None
    except (ValueError, KeyError, TypeError):
        return None


def split(data: bytes, start: Position) -> Iterator[Entry | Damage]:
    """Cut a stretch of a segment into records; what is none is named and what follows it is still found."""
    at = 0
    while at < len(data):
        newline = data.find(b"\n", at)
        end = len(data) if newline < 0 else newline
        line, after = data[at:end], min(end + 1, len(data))
        payload = decode(line) if newline >= 0 else None
        if payload is not None:
            yield Entry(_move(start, at), _move(start, after), payload)
        else:
            yield from _salvage(line, data[at:after], _move(start, at))
        at = after


def _salvage(line: bytes, raw: bytes, start: Position) -> Iterator[Entry | Damage]:
    """Find the whole record that may stand at the end of a broken line: its own line start was what broke."""
    whole = len(raw) > len(line)
    for candidate in _START.finditer(line, 1) if whole else ():
        payload = decode(line[candidate.start() :])
        if payload is not None:
            at = candidate.start()
            yield _broken(raw[:at], start)
            yield Entry(_move(start, at), _move(start, len(raw)), payload)
            return
    yield _broken(raw, start)


def _broken(raw: bytes, start: Position) -> Damage | Entry:
    if (payload := decode(raw[:-1])) is not None:  # only its line end was hurt
        return Entry(start, _move(start, len(raw)), payload)
    reason = "no record, only zeros" if not raw.strip(b"\0") else "the checksum does not match"
    return Damage(start, _move(start, len(raw)), raw, reason)


def _move(position: Position, by: int) -> Position:
    return Position(position.segment, position.offset + by)


def segment_path(folder: Path, number: int) -> Path:
    """Where a segment lies."""
    return folder / f"{number:012d}.segment"


def segment_numbers(folder: Path) -> list[int]:
    """The segments that exist, oldest first."""
    return sorted(int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name)))


def read_header(path: Path) -> Header | None:
    """A segment file's header, or None if there is no such file or no sound header in it."""
    try:
        with path.open("rb") as file:
            payload = decode(file.readline(MAX_PAYLOAD_BYTES + OVERHEAD_BYTES).removesuffix(b"\n"))
    except FileNotFoundError:
        return None
    return None if payload is None else parse_header(payload)
