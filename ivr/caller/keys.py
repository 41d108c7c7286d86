"""Pressing a key, both ways a phone can: telephone-events (RFC 4733) and the two tones (ITU-T Q.23).

Pure, and on purpose not shared with `ivr.media`: the caller that checks the service must not err with it.
"""

import math
import struct
from dataclasses import dataclass

KEYS = "0123456789*#ABCD"
PRESS_MS = 120
RATE = 8000
FRAME_MS = 20
FRAME_SAMPLES = RATE * FRAME_MS // 1000
END_PACKETS = 3  # RFC 4733 2.5.1.4: the last packet is sent three times
VOLUME = 10  # -10 dBm0

_LOW = (697, 770, 852, 941)
_HIGH = (1209, 1336, 1477, 1633)
_GRID = ("123A", "456B", "789C", "*0#D")


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One telephone-event payload; all of a press carry the RTP timestamp of its beginning."""

    payload: bytes
    marker: bool


def event_packets(key: str, milliseconds: int = PRESS_MS) -> list[EventPacket]:
    """A press as packets 20 ms apart: marker on the first, growing durations, the end three times."""
    event = KEYS.index(key)
    durations = [FRAME_SAMPLES * n for n in range(1, milliseconds // FRAME_MS + 1)]
    packets = [EventPacket(_event(event, duration, end=False), duration == FRAME_SAMPLES) for duration in durations]
    return packets + [EventPacket(_event(event, durations[-1], end=True), marker=False)] * END_PACKETS


def tones(key: str, milliseconds: int = PRESS_MS) -> bytes:
    """A press as sound: unsigned 8-bit linear samples at 8 kHz, which is what pyVoIP takes."""
    row = next(n for n, keys in enumerate(_GRID) if key in keys)
    low, high = _LOW[row], _HIGH[_GRID[row].index(key)]
    return bytes(128 + round(40 * (_sine(low, n) + _sine(high, n))) for n in range(RATE * milliseconds // 1000))


def _event(event: int, duration: int, *, end: bool) -> bytes:
    return struct.pack("!BBH", event, end << 7 | VOLUME, duration)


def _sine(hertz: int, sample: int) -> float:
    return math.sin(2 * math.pi * hertz * sample / RATE)
