"""Ports of the RTP range, a pair per leg: even for RTP, the odd one above for RTCP (RFC 3550, 11).

A pair that was in use rests before it is used again, the longest-rested first: a key of the former call that
arrives late would otherwise be an invented press of the next one.
"""

import errno
import socket
from collections import deque
from dataclasses import dataclass
from ipaddress import ip_address

from ivr.gateway import kernel_filter

REST_SECONDS = 6.0


class NoPort(Exception):
    """No pair of the range can be had, with the reason as a sentence."""


@dataclass(frozen=True, slots=True)
class PortPair:
    """The sockets of a leg, non-blocking and bound.

    `rtp` is to be connected to where the other side's SDP says: sending is cheaper so (2.8 µs, not 3.4), and
    what comes from that very address and port arrives there. `strays` has the same port and is never
    connected: all else arrives there, such as RTP from another port of the same address.
    """

    port: int
    rtp: socket.socket
    strays: socket.socket
    rtcp: socket.socket

    def close(self) -> None:
        """Give all three back to the system."""
        for each in (self.rtp, self.strays, self.rtcp):
            each.close()


class RtpPorts:
    """The pairs of a range and when each was last given back."""

    def __init__(self, first: int, last: int, *, start: int = 0) -> None:
        """`start`: where in the range to begin, so that a new process does not meet the packets of the old one."""
        pairs = range(first + first % 2, last, 2)
        self._free: deque[tuple[int, float]] = deque((port, -REST_SECONDS) for port in pairs)
        if self._free:
            self._free.rotate(-(start % len(self._free)))

    def open(self, address: str, event_payload_type: int | None, now: float) -> PortPair:
        """Bind the longest-rested pair on `address`, skipping those other programs hold.

        Raises NoPort when every pair is in use or rests, or when the address is not this machine's.
        """
        for _ in range(len(self._free)):
            port, released = self._free[0]
            if now - released < REST_SECONDS:
                break
            self._free.popleft()
            try:
                return _bind(address, port, event_payload_type)
            except OSError as error:
                self._free.append((port, now))
                if error.errno != errno.EADDRINUSE:
                    raise NoPort(f"RTP port {port} on {address} cannot be opened: {error.strerror}") from error
        raise NoPort("every port pair of RTP_PORTS is in use or was in use a moment ago")

    def give_back(self, pair: PortPair, now: float) -> None:
        """Close a pair and let its ports rest."""
        pair.close()
        self._free.append((pair.port, now))


def _bind(address: str, port: int, event_payload_type: int | None) -> PortPair:
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    opened: list[socket.socket] = []
    try:
        strays, rtp, rtcp = (_open(family, opened) for _ in range(3))
        for each in (strays, rtp):
            # before bind: no packet may slip in unfiltered
            kernel_filter.attach(each, event_payload_type)
        strays.bind((address, port))
        # Shared only between these two, and only after the first bind has shown that nobody else has the port
        strays.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        rtp.bind((address, port))
        strays.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        rtcp.bind((address, port + 1))
    except OSError:
        for each in opened:
            each.close()
        raise
    return PortPair(port, rtp, strays, rtcp)


def _open(family: socket.AddressFamily, opened: list[socket.socket]) -> socket.socket:
    udp = socket.socket(family, socket.SOCK_DGRAM)
    opened.append(udp)
    udp.setblocking(False)
    return udp
