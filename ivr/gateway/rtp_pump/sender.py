"""The outgoing half of a leg: one packet every 20 ms, of a prompt or of silence.

Kept apart from the rest of the leg and small: the clock touches every one of these 50 times a second, mostly
with cold caches, and nothing else in the house runs that often.
"""

from collections.abc import Callable, Iterable
from struct import Struct

from ivr.media.g711 import FRAME_SAMPLES, SILENCE
from ivr.media.parameters import Codec
from ivr.media.rtp import MARKER, VERSION

# version and flags, payload type with marker, sequence number, timestamp and SSRC as one number
_HEADER = Struct(">BBHQ")
_64_BITS = 0xFFFF_FFFF_FFFF_FFFF


class RtpSender:
    """What the next packet is made of.

    `base` holds the timestamp of the clock's period 0 above the SSRC, as they stand in the header;
    `sequence` counts on beyond 16 bits, so that it also tells how many packets there were.
    """

    __slots__ = ("base", "end", "first_sequence", "frames", "kind", "position", "send", "sequence", "silence", "unsent")

    def __init__(self, send: Callable[[bytes], int], identity: bytes) -> None:
        """`identity`: ten random octets for SSRC, first timestamp and sequence number (RFC 3550, 5.1)."""
        self.base = int.from_bytes(identity[:8], "big")
        self.sequence = self.first_sequence = int.from_bytes(identity[8:10], "big")
        self.send = send
        self.frames: list[bytes] | None = None
        self.position = self.end = self.unsent = 0
        self.kind = MARKER
        self.silence = b""

    @property
    def ssrc(self) -> int:
        """The stream's identity."""
        return self.base & 0xFFFFFFFF

    @property
    def packets(self) -> int:
        """How many were sent."""
        return self.sequence - self.first_sequence - self.unsent

    def timestamp(self, media_time: int) -> int:
        """The RTP timestamp of a moment of the clock."""
        return ((self.base >> 32) + media_time) & 0xFFFFFFFF

    def encode_as(self, codec: Codec, payload_type: int) -> None:
        """Send by this law from the next packet on."""
        self.kind = payload_type | MARKER
        self.silence = SILENCE[codec] * FRAME_SAMPLES

    def play(self, frames: list[bytes]) -> None:
        """Send these frames from the next packet on, instead of what is sent now."""
        self.frames, self.position, self.end = frames, 0, len(frames)
        self.mark()

    def stop(self) -> None:
        """Send silence from the next packet on."""
        self.frames = None

    def mark(self) -> None:
        """Set the marker bit of the next packet: a talkspurt begins (RFC 3551, 4.1)."""
        self.kind |= MARKER


def send_frames(senders: Iterable[RtpSender], media_time: int) -> list[RtpSender]:
    """Send one packet for each, all of the same moment; those whose prompts have been heard out come back."""
    pack = _HEADER.pack
    stamp = media_time << 32
    finished = []
    for sender in senders:
        frames = sender.frames
        if frames is None:
            frame = sender.silence
        else:
            position = sender.position
            if position < sender.end:
                frame = frames[position]
                sender.position = position + 1
            else:
                frame = sender.silence
                finished.append(sender)
        kind = sender.kind
        if kind & MARKER:
            sender.kind = kind ^ MARKER
        sender.sequence = sequence = sender.sequence + 1
        try:
            sender.send(pack(VERSION, kind, sequence & 0xFFFF, sender.base + stamp & _64_BITS) + frame)
        except OSError:
            # no route, or the other side's port is closed (ICMP); its silence will end the call
            sender.unsent += 1
    return finished
