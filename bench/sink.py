"""Holds the callers' media ports, so that the service's RTP meets an open port as it would at a telephone.

SIPp sends from these ports but listens on none except the first: without this every packet would come back as
an ICMP error. The filter drops each packet before it wakes anybody.

    python -m bench.sink FIRST COUNT
"""

import resource
import socket
import sys

from bench.wire_filter import attach, nothing


def hold(first: int, count: int) -> list[socket.socket]:
    """Bind the RTP and RTCP port of every call but the first of the range, which SIPp binds itself."""
    held = []
    for port in range(first + 4, first + count, 4):
        for each in (port, port + 1):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            attach(udp, nothing())
            udp.bind(("127.0.0.1", each))
            held.append(udp)
    return held


def main() -> None:
    """Hold the ports until standard input ends."""
    first, count = (int(argument) for argument in sys.argv[1:3])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, most), most))
    held = hold(first, count)
    print("ready", flush=True)
    sys.stdin.read()
    for each in held:
        each.close()


if __name__ == "__main__":
    main()
