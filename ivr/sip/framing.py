"""Cuts a TCP stream into messages by Content-Length (RFC 3261 18.3) and counts keep-alive pings (RFC 5626 3.5.1).

It waits for no more than a bounded head and body; a stream whose next boundary cannot be known is broken for good.
"""

from __future__ import annotations

from ivr.sip.errors import FramingBroken
from ivr.sip.message import COMPACT, MAX_HEAD_BYTES, content_length

MAX_BODY_BYTES = 65_535
_END = b"\r\n\r\n"


class StreamFramer:
    """One connection's bytes on their way to messages."""

    __slots__ = ("_buffer", "_needed", "_pings", "_scanned")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._needed = 0
        self._pings = 0

    @property
    def pending(self) -> bool:
        """Whether a message has begun and is not whole yet: close a connection that stays so for too long."""
        return bool(self._buffer.strip(b"\r\n"))

    def take_pings(self) -> int:
        """How many double CRLFs came since the last call; each is owed one CRLF."""
        pings, self._pings = self._pings, 0
        return pings

    def feed(self, data: bytes) -> list[bytes]:
        """Add what was read and take out every whole message.

        FramingBroken carries the head of the message that broke the stream, for UserAgentServer.receive to answer
        400; messages that were whole before it are in its `whole`. The connection is then to be closed.
        """
        self._buffer += data
        whole: list[bytes] = []
        try:
            while (message := self._next()) is not None:
                whole.append(message)
        except FramingBroken as broken:
            broken.whole = whole
            raise
        return whole

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if not self._needed:
            self._skip_keep_alives()
            end = buffer.find(_END, max(self._scanned - 3, 0))
            if end < 0:
                self._scanned = len(buffer)
                if len(buffer) > MAX_HEAD_BYTES:
                    raise FramingBroken("Header Too Large", bytes(buffer))
                return None
            head = bytes(buffer[: end + 4])
            self._needed = len(head) + body_length(head)
        if len(buffer) < self._needed:
            return None
        message = bytes(buffer[: self._needed])
        del buffer[: self._needed]
        self._needed = self._scanned = 0
        return message

    def _skip_keep_alives(self) -> None:
        buffer = self._buffer
        while buffer.startswith(_END):
            self._pings += 1
            del buffer[:4]
        # a single CRLF is a pong, or the first half of a ping whose second half is still under way
        while len(buffer) > 2 and buffer.startswith(b"\r\n") and not _END.startswith(buffer[:4]):
            del buffer[:2]


def body_length(head: bytes) -> int:
    """The one Content-Length of a head that ends with its empty line; FramingBroken if there is not exactly one."""
    text = head.decode("latin-1").replace("\r\n ", " ").replace("\r\n\t", " ")
    lengths = []
    for line in text.split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        name = name.strip(" \t").lower()
        if colon and COMPACT.get(name, name) == "content-length":
            lengths.append(content_length(value.strip(" \t")))
    if len(lengths) != 1 or lengths[0] is None:
        raise FramingBroken("Content-Length Missing Or Not One Number", head)
    if lengths[0] > MAX_BODY_BYTES:
        raise FramingBroken("Body Too Large", head)
    return lengths[0]
