"""Reads SDP (RFC 8866) into what an offer/answer needs; lines it does not know are passed over."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ivr.sip.errors import MalformedDescription

MAX_MEDIA = 32


class Direction(StrEnum):
    """Who sends, seen from the side that wrote it (RFC 3264 5.1)."""

    BOTH = "sendrecv"
    SEND_ONLY = "sendonly"
    RECEIVE_ONLY = "recvonly"
    INACTIVE = "inactive"


_DIRECTIONS = {str(direction): direction for direction in Direction}


@dataclass(frozen=True, slots=True)
class Connection:
    """A `c=` line: `family` 4 or 6, `address` as written (a TTL or count after a slash cut off)."""

    family: int
    address: str


@dataclass(slots=True)
class Media:
    """One `m=` line with its attributes; `formats` as written, in the offerer's order of preference."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    connection: Connection | None = None
    direction: Direction | None = None
    encodings: dict[str, str] = field(default_factory=dict)
    """payload type -> `PCMA/8000` in upper case, from `a=rtpmap`"""
    rtcp: str | None = None
    """the value of `a=rtcp` (RFC 3605)"""


@dataclass(slots=True)
class SessionDescription:
    """A description as far as it matters here; `times` are its `t=` values."""

    origin: str = ""
    connection: Connection | None = None
    times: list[str] = field(default_factory=list)
    direction: Direction | None = None
    media: list[Media] = field(default_factory=list)

    def connection_of(self, media: Media) -> Connection | None:
        """The media's own `c=` line, else the session's."""
        return media.connection or self.connection

    def direction_of(self, media: Media) -> Direction:
        """The media's direction, else the session's, else sendrecv."""
        return media.direction or self.direction or Direction.BOTH


def parse(body: bytes) -> SessionDescription:
    """Read a description; MalformedDescription if it does not begin with `v=0` or an `m=` or `c=` line is broken."""
    lines = [line.rstrip("\r") for line in body.decode("latin-1").split("\n")]
    if not lines or lines[0].strip() != "v=0":
        raise MalformedDescription("the body is no SDP: it does not begin with v=0")
    description = SessionDescription()
    media: Media | None = None
    for line in lines[1:]:
        letter, equals, value = line.partition("=")
        if not equals:
            continue
        match letter.strip():
            case "m":
                if len(description.media) == MAX_MEDIA:
                    raise MalformedDescription(f"more than {MAX_MEDIA} media lines")
                media = _media(value)
                description.media.append(media)
            case "c":
                (media or description).connection = _connection(value)
            case "a":
                _attribute(value, description, media)
            case "o":
                description.origin = value
            case "t":
                description.times.append(" ".join(value.split()))
    return description


def _media(value: str) -> Media:
    parts = value.split()
    if len(parts) < 4:
        raise MalformedDescription("an m= line needs media, port, protocol and formats")
    port = parts[1].partition("/")[0]
    if not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65535:
        raise MalformedDescription("an m= line has an impossible port")
    return Media(parts[0].lower(), int(port), parts[2].upper(), parts[3:])


def _connection(value: str) -> Connection:
    parts = value.split()
    if len(parts) != 3 or parts[1].upper() not in {"IP4", "IP6"}:
        raise MalformedDescription("a c= line is not IN IP4 or IN IP6 and an address")
    return Connection(4 if parts[1].upper() == "IP4" else 6, parts[2].partition("/")[0])


def _attribute(value: str, description: SessionDescription, media: Media | None) -> None:
    value = value.strip()
    direction = _DIRECTIONS.get(value.lower())
    if direction is not None:
        (media or description).direction = direction
        return
    if media is None:
        return
    name, _, rest = value.partition(":")
    match name.lower():
        case "rtpmap":
            payload_type, _, encoding = rest.strip().partition(" ")
            media.encodings[payload_type] = encoding.strip().upper()
        case "rtcp":
            media.rtcp = rest.strip()
