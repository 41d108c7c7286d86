"""The SIP sockets of one address, UDP and TCP, around the pure user agent server.

Bytes from admitted peers go in with the time, effects come out and are performed in order; the core's next
deadline is the only timer. Decides who may speak (SIP_TRUNKS) and nothing else.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from itertools import count

import structlog

from ivr.gateway import figures
from ivr.gateway.sip_stream import StreamConnection
from ivr.sip.stateless import forbidden
from ivr.sip.user_agent_server import Disconnect, Effect, Peer, Transmit, UserAgentServer

log = structlog.get_logger("sip")

ENDPOINT_BUFFER_BYTES = 4 * 1024 * 1024


class PortTaken(Exception):
    """The SIP address cannot be bound; the message names it and why."""


class SipTrunk:
    """Transports of one node. `on_effect` gets every effect that is not about bytes."""

    def __init__(
        self,
        core: UserAgentServer,
        *,
        admits: Callable[[str], bool],
        silent_to_strangers: bool,
        on_effect: Callable[[Effect], None],
    ) -> None:
        """`admits` takes an address without brackets and says whether it may call."""
        self._core = core
        self._admits = lru_cache(maxsize=4096)(admits)
        self._silent = silent_to_strangers
        self._on_effect = on_effect
        self._loop = asyncio.get_running_loop()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._streams: dict[int, StreamConnection] = {}
        self._stream_ids = count(1)
        self._timer: asyncio.TimerHandle | None = None
        self._local = ("", 0)
        self._everywhere = False

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Bind UDP and TCP to one port (0: any) and give the address bound; raises PortTaken."""
        try:
            return await self._listen(host, port)
        except OSError as error:
            self.close()
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            raise PortTaken(f"SIP cannot listen on {shown}: {error.strerror or error}") from error

    async def _listen(self, host: str, port: int) -> tuple[str, int]:
        sock = _udp_socket(host, port)
        self._local = sock.getsockname()[:2]
        self._everywhere = ip_address(self._local[0]).is_unspecified
        self._udp, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock)
        self._tcp = await self._loop.create_server(self._accept, self._local[0], self._local[1])
        return self._local

    def _accept(self) -> StreamConnection:
        number = next(self._stream_ids)
        stream = StreamConnection(number, self)
        self._streams[number] = stream
        return stream

    def forget(self, stream: StreamConnection) -> None:
        """The stream is closed: calls on it that were not answered yet end."""
        if self._streams.pop(stream.number, None) is not None:
            self.perform(self._core.disconnected(stream.number, self._loop.time()))

    def datagram(self, data: bytes, address: tuple[str, int]) -> None:
        """Take one UDP datagram."""
        host = address[0]
        local_host = self.local_host_towards(host)
        self.take(data, Peer("udp", host, address[1], local_host, self._local[1], None))

    def take(self, data: bytes, peer: Peer) -> None:
        """Take one whole message from any transport, if its source may speak."""
        if self._admits(peer.host):
            self.perform(self._core.receive(data, peer, self._loop.time()))
            return
        figures.STRANGERS.inc()
        reply = None if self._silent else forbidden(data, peer)
        if reply is not None:
            self._send(reply, peer)

    def perform(self, effects: Iterable[Effect]) -> None:
        """Send what is to be sent, hand on the rest, and set the timer for the core's next deadline."""
        for effect in effects:
            if type(effect) is Transmit:
                self._send(effect.data, effect.peer)
            elif type(effect) is Disconnect:
                self._disconnect(effect.peer)
            else:
                self._on_effect(effect)
        self._set_timer()

    def _set_timer(self) -> None:
        deadline = self._core.next_deadline
        if self._timer is not None:
            # An earlier wake-up than needed costs less than cancelling a timer per message.
            if deadline is None or self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.perform(self._core.expire(self._loop.time()))

    def _send(self, data: bytes, peer: Peer) -> None:
        if peer.transport == "udp":
            if self._udp is not None:
                self._udp.sendto(data, (peer.host, peer.port))
        elif (stream := self._streams.get(peer.connection or 0)) is not None:
            stream.send(data)

    def _disconnect(self, peer: Peer) -> None:
        if (stream := self._streams.get(peer.connection or 0)) is not None:
            stream.close()

    def local_host_towards(self, host: str) -> str:
        """Our own address as `host` sees it: the bound one, or for a wildcard what the routing table says."""
        return _route_source(host) if self._everywhere else self._local[0]

    def close(self) -> None:
        """Close every socket at once."""
        if self._timer is not None:
            self._timer.cancel()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for stream in list(self._streams.values()):
            stream.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, trunk: SipTrunk) -> None:
        self._trunk = trunk

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._trunk.datagram(data, addr)

    def error_received(self, exc: Exception) -> None:
        # ICMP "port unreachable" of a peer that is gone: its transactions time out by themselves.
        log.debug("udp error", error=str(exc))


def _udp_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ENDPOINT_BUFFER_BYTES)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


@lru_cache(maxsize=1024)
def _route_source(host: str) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))  # sends nothing: UDP connect only asks the routing table
        name: str = probe.getsockname()[0]
        return name
