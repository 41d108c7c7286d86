"""Ports of the RTP range, a pair per leg: even for RTP, the odd one above for RTCP (RFC 3550, 11).

A pair that was in use rests before it is used again, the longest-rested first: a key of the former call that
arrives late would otherwise be an invented press of the next one. Its sockets stay open meanwhile, because
opening them costs more than anything else in a short call.
"""

import contextlib
import errno
import socket
from collections import deque
from ipaddress import ip_address

from ivr.gateway.rtp_pump import kernel_filter
from ivr.media.rtp import RtpPacket

REST_SECONDS = 6.0
LARGEST_PACKET = 2048
QUEUED = 1000


class NoPort(Exception):
    """No pair of the range can be had, with the reason as a sentence."""


class PortPair:
    """The three sockets of a leg, bound and non-blocking, with their filters.

    `rtp` is connected to where the other side's SDP says: sending is cheaper so (2.8 µs, not 3.4), and what
    comes from that very address and port arrives there. `strays` has the same port and is never connected:
    all else arrives there, such as RTP from another port of the same address. `rtcp` has the port above.
    """

    def __init__(self, address: str, port: int, event_payload_type: int | None) -> None:
        """Bind the pair; raises OSError."""
        self.address = address
        self.port = port
        self._events = event_payload_type
        self._hidden = self._strays_filtered = False
        family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
        with contextlib.ExitStack() as undo:
            self.strays, self.rtp, self.rtcp = (undo.enter_context(_open(family)) for _ in range(3))
            # before bind: no packet slips in unfiltered
            kernel_filter.show_events(self.rtp, event_payload_type)
            self._bind()
            undo.pop_all()

    def _bind(self) -> None:
        self.strays.bind((self.address, self.port))
        # shared only between these two, and only after the first bind has shown that nobody else has the port
        for each in (self.strays, self.rtp):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.rtp.bind((self.address, self.port))
        for each in (self.strays, self.rtp):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        self.rtcp.bind((self.address, self.port + 1))

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket, socket.socket]:
        """All three."""
        return self.rtp, self.strays, self.rtcp

    def show_events(self, payload_type: int | None) -> None:
        """Let telephone-events of this type through from now on, whatever was hidden before.

        A new call may well bring the very press of the former one: some callers replay a capture.
        """
        if payload_type == self._events and not self._hidden:
            return
        self._events, self._hidden = payload_type, False
        kernel_filter.show_events(self.rtp, payload_type)
        if self._strays_filtered:
            kernel_filter.show_events(self.strays, payload_type)

    def filter_strays(self) -> None:
        """Filter strays too, once there are any; most calls never have one, so theirs need no filter."""
        if not self._strays_filtered:
            self._strays_filtered = True
            kernel_filter.show_events(self.strays, self._events)

    def hide_press(self, via: socket.socket, packet: RtpPacket) -> None:
        """Keep the further packets of this press away: each would be a wake-up for nothing."""
        self._hidden = True
        heard = kernel_filter.HeardPress(packet.ssrc, packet.timestamp, packet.payload[0])
        kernel_filter.show_events(via, packet.payload_type, heard)

    def drain(self) -> None:
        """Throw away what came while the pair rested."""
        for each in self.sockets:
            with contextlib.suppress(OSError):
                for _ in range(QUEUED):
                    each.recv(LARGEST_PACKET)

    def close(self) -> None:
        """Give all three back to the system."""
        for each in self.sockets:
            each.close()


class RtpPorts:
    """The pairs of a range: those never used yet, and those that rest with the time they were given back."""

    def __init__(self, first: int, last: int, *, start: int = 0) -> None:
        """`start`: where in the range to begin, so that a new process does not meet the packets of the old one."""
        self._unused = deque(range(first + first % 2, last, 2))
        self._unused.rotate(-start)
        self._resting: deque[tuple[PortPair, float]] = deque()

    def open(self, address: str, event_payload_type: int | None, now: float) -> tuple[PortPair, bool]:
        """A pair on `address`, and whether its sockets are new; ports that other programs hold are passed over.

        Raises NoPort when every pair is in use or rests, or when the address is not this machine's.
        """
        if self._resting and now - self._resting[0][1] >= REST_SECONDS:
            pair, _ = self._resting.popleft()
            if pair.address == address:
                pair.show_events(event_payload_type)
                pair.drain()
                return pair, False
            pair.close()
            self._unused.append(pair.port)
        for _ in range(len(self._unused)):
            port = self._unused.popleft()
            try:
                return PortPair(address, port, event_payload_type), True
            except OSError as error:
                self._unused.append(port)
                if error.errno != errno.EADDRINUSE:
                    raise NoPort(f"RTP port {port} on {address} cannot be opened: {error.strerror}") from error
        raise NoPort("every port pair of RTP_PORTS is in use or was in use a moment ago")

    def give_back(self, pair: PortPair, now: float) -> None:
        """Let a pair rest."""
        self._resting.append((pair, now))


def _open(family: socket.AddressFamily) -> socket.socket:
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.setblocking(False)
    return udp
