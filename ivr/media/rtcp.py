"""RTCP (RFC 3550, 6): sender reports with CNAME and BYE are written; reports and BYE are read."""

from dataclasses import dataclass
from struct import Struct

from ivr.media.errors import MalformedPacket

SR, RR, SDES, BYE = 200, 201, 202, 203
NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
INTERVAL_SECONDS = 5.0

_HEAD = Struct(">BBH")
_SENDER = Struct(">IIIIII")
_COMPENSATION = 1.21828  # RFC 3550, 6.3.1: e − 3/2


@dataclass(frozen=True, slots=True)
class SenderReport:
    """Who sent how much, and which RTP timestamp belongs to which moment (UNIX seconds)."""

    ssrc: int
    sent_at: float
    rtp_timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """A receiver that sends nothing itself; its report blocks are not read."""

    ssrc: int


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources leave."""

    sources: tuple[int, ...]


Report = SenderReport | ReceiverReport | Bye


def report(sender: SenderReport, cname: str) -> bytes:
    """The compound packet due every few seconds: sender report and CNAME."""
    return _sender_report(sender) + _description(sender.ssrc, cname)


def farewell(sender: SenderReport, cname: str) -> bytes:
    """The last compound packet of a stream; BYE may not stand first (RFC 3550, 6.1)."""
    return report(sender, cname) + _packet(1, BYE, sender.ssrc.to_bytes(4, "big"))


def report_interval(ssrc: int, number: int) -> float:
    """Seconds until the report of that number: 5 s, spread over 0.5-1.5 (RFC 3550, 6.3.1), the first in half.

    The spread comes from the stream's own random SSRC, so two streams do not fall into step.
    """
    spread = ((ssrc ^ (number * 0x9E3779B1)) * 0x85EBCA6B >> 16 & 0xFFFF) / 0x10000
    minimum = INTERVAL_SECONDS if number else INTERVAL_SECONDS / 2
    return minimum * (0.5 + spread) / _COMPENSATION


def parse(data: bytes) -> list[Report]:
    """Read a compound packet; kinds not needed are skipped.

    Raises MalformedPacket, and nothing else, if any part breaks the length rules of RFC 3550, A.2. A part
    may stand first that is no report: RFC 5506 allows it.
    """
    found: list[Report] = []
    rest = memoryview(data)
    while rest:
        if len(rest) < 4 or rest[0] & 0xC0 != 0x80:
            raise MalformedPacket("no RTCP version 2 header")
        first, kind, words = _HEAD.unpack_from(rest)
        size = 4 * (words + 1)
        if size > len(rest):
            raise MalformedPacket("RTCP packet cut short")
        part = _parse_part(first & 0x1F, kind, bytes(rest[4:size]))
        if part is not None:
            found.append(part)
        rest = rest[size:]
    if not data:
        raise MalformedPacket("empty RTCP packet")
    return found


def _parse_part(count: int, kind: int, body: bytes) -> Report | None:
    if kind == SR:
        if len(body) < _SENDER.size + 24 * count:
            raise MalformedPacket("sender report cut short")
        ssrc, seconds, fraction, timestamp, packets, octets = _SENDER.unpack_from(body)
        return SenderReport(ssrc, seconds - NTP_EPOCH + fraction / 2**32, timestamp, packets, octets)
    if kind == RR:
        if len(body) < 4 + 24 * count:
            raise MalformedPacket("receiver report cut short")
        return ReceiverReport(int.from_bytes(body[:4], "big"))
    if kind == BYE:
        if len(body) < 4 * count:
            raise MalformedPacket("BYE cut short")
        return Bye(tuple(int.from_bytes(body[start : start + 4], "big") for start in range(0, 4 * count, 4)))
    return None


def _sender_report(sender: SenderReport) -> bytes:
    seconds = int(sender.sent_at)
    fraction = int((sender.sent_at - seconds) * 2**32)
    body = _SENDER.pack(
        sender.ssrc,
        (seconds + NTP_EPOCH) & 0xFFFFFFFF,
        fraction,
        sender.rtp_timestamp,
        sender.packets & 0xFFFFFFFF,
        sender.octets & 0xFFFFFFFF,
    )
    return _packet(0, SR, body)


def _description(ssrc: int, cname: str) -> bytes:
    name = cname.encode()[:255]
    chunk = ssrc.to_bytes(4, "big") + bytes((1, len(name))) + name
    # one to four null octets end the list of items (RFC 3550, 6.5)
    return _packet(1, SDES, chunk + bytes(4 - len(chunk) % 4))


def _packet(count: int, kind: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body
