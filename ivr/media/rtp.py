"""RTP packets (RFC 3550, 5.1): bytes to fields and back."""

from dataclasses import dataclass
from struct import Struct

from ivr.media.errors import MalformedPacket

HEADER = Struct(">BBHII")
VERSION = 0x80
MARKER = 0x80


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """The fields a receiver of one stream needs; contributing sources and header extensions are skipped."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> RtpPacket:
    """Read one packet. Raises MalformedPacket, and nothing else, whatever the bytes are."""
    if len(data) < HEADER.size or data[0] & 0xC0 != VERSION:
        raise MalformedPacket("no RTP version 2 header")
    flags, kind, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    start = HEADER.size + 4 * (flags & 0x0F)
    if flags & 0x10:
        if len(data) < start + 4:
            raise MalformedPacket("header extension cut short")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if flags & 0x20 else 0)
    if start > end or (flags & 0x20 and data[-1] == 0):
        raise MalformedPacket("lengths exceed the packet")
    return RtpPacket(kind & 0x7F, bool(kind & MARKER), sequence, timestamp, ssrc, data[start:end])


def serialize(packet: RtpPacket) -> bytes:
    """Write a packet without padding, extension or contributing sources."""
    kind = packet.payload_type | (MARKER if packet.marker else 0)
    return HEADER.pack(VERSION, kind, packet.sequence, packet.timestamp, packet.ssrc) + packet.payload
