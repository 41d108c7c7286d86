"""Keys out of telephone-event packets (RFC 4733): one press, one key, whatever is lost, doubled or reordered.

A press is known by (SSRC, RTP timestamp, event). It is reported on the first packet of any kind that comes,
because at 20 % loss waiting for an end packet loses one press in 125.
"""

from ivr.media.errors import MalformedPacket
from ivr.media.rtp import RtpPacket

KEYS = "0123456789*#ABCD"
REMEMBERED = 64
_SEGMENT = 0xFFFF


class TelephoneEvents:
    """The presses of one leg. Remembers the last 64, far more than packets can be late for."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], None] = {}

    def accept(self, packet: RtpPacket) -> str | None:
        """Give the key if this is the first packet of a press; events above 15 (flash, tones) are no keys.

        Raises MalformedPacket when the payload is shorter than an event.
        """
        if len(packet.payload) < 4:
            raise MalformedPacket("telephone-event cut short")
        event = packet.payload[0]
        if event > 15:
            return None
        press = (packet.ssrc, packet.timestamp, event)
        if press in self._known:
            return None
        continued = not packet.marker and self._continues(press)
        self._remember(press)
        return None if continued else KEYS[event]

    def _continues(self, press: tuple[int, int, int]) -> bool:
        """A press of more than 8 s comes in segments, each with a timestamp 0xFFFF later (RFC 4733, 2.5.1.3)."""
        ssrc, timestamp, event = press
        return (ssrc, (timestamp - _SEGMENT) & 0xFFFFFFFF, event) in self._known

    def _remember(self, press: tuple[int, int, int]) -> None:
        self._known[press] = None
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
