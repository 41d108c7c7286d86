"""What the media package raises: one family, so that a stray datagram is told apart from a fault of ours."""


class MediaError(Exception):
    """Anything this package refuses."""


class MalformedPacket(MediaError):
    """Not a packet of RFC 3550 or RFC 4733: to be counted and forgotten."""


class UnusableRecording(MediaError):
    """A prompt that is not 8 kHz, mono, 16 bit."""
