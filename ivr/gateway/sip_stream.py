"""One TCP connection of a SIP peer: framing, keep-alive, and limits on idle time and unsent bytes."""

import asyncio
from typing import Protocol

import structlog

from ivr.sip.effects import Peer
from ivr.sip.errors import FramingBroken
from ivr.sip.framing import StreamFramer

log = structlog.get_logger("sip")

IDLE_SECONDS = 300.0
HALF_MESSAGE_SECONDS = 10.0
MOST_UNSENT_BYTES = 1024 * 1024


class StreamOwner(Protocol):
    """Who gets the messages: the trunk."""

    def take(self, data: bytes, peer: Peer) -> None:
        """Take one whole message."""

    def forget(self, stream: "StreamConnection") -> None:
        """The connection is closed."""


class StreamConnection(asyncio.Protocol):
    """Cuts the stream into messages; one that cannot be cut any more is closed (RFC 3261 18.3)."""

    def __init__(self, number: int, owner: StreamOwner) -> None:
        """`number` names the connection in `Peer.connection`, so that replies find their way back (18.2.2)."""
        self.number = number
        self._owner = owner
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self._peer: Peer | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who it is."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        local_host, local_port = transport.get_extra_info("sockname")[:2]
        self._peer = Peer("tcp", host, port, local_host, local_port, self.number)
        self._wait(IDLE_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Hand on each whole message."""
        assert self._peer is not None
        broken = None
        try:
            messages = self._framer.feed(data)
        except FramingBroken as fault:
            broken, messages = fault, [*fault.whole, *([fault.head] if fault.head else [])]
        for message in messages:
            self._owner.take(message, self._peer)
        if pings := self._framer.take_pings():
            self.send(b"\r\n" * pings)  # RFC 5626 4.4.1
        if broken is not None:
            log.info("stream closed", peer=self._peer.host, fault=str(broken))
            self.close()
            return
        self._wait(HALF_MESSAGE_SECONDS if self._framer.pending else IDLE_SECONDS)

    def _wait(self, seconds: float) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(seconds, self.close)

    def send(self, data: bytes) -> None:
        """Write, unless the peer does not read: then it is cut off before it fills our memory."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self._transport.abort()
            return
        self._transport.write(data)

    def close(self) -> None:
        """Close after what was written is sent."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the signature is asyncio's
        """Forget it everywhere."""
        if self._idle is not None:
            self._idle.cancel()
        self._owner.forget(self)
