"""Free ports for a service under test, on loopback, away from the kernel's own ephemeral range."""

import random
import socket

_RANDOM = random.SystemRandom()
LOWEST, HIGHEST = 12000, 32000


def sip_port(host: str = "127.0.0.1") -> int:
    """A port free for UDP and TCP alike."""
    for _ in range(100):
        port = _RANDOM.randrange(LOWEST, 20000)
        if _free(host, port, socket.SOCK_DGRAM) and _free(host, port, socket.SOCK_STREAM):
            return port
    raise AssertionError("no port is free on loopback")


http_port = sip_port


def has_ipv6() -> bool:
    """Whether ::1 can be bound."""
    try:
        return _free("::1", 0, socket.SOCK_DGRAM)
    except OSError:
        return False


def rtp_range(pairs: int = 300) -> str:
    """`FIRST-LAST` for RTP_PORTS; a node passes over single ports that others hold."""
    first = _RANDOM.randrange(20000, HIGHEST - 2 * pairs, 2)
    return f"{first}-{first + 2 * pairs - 1}"


def _free(host: str, port: int, kind: socket.SocketKind) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
