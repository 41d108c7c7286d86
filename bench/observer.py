"""Watches the loopback interface by the kernel's own timestamps, beside the service and its callers.

    python -m bench.observer SIP_PORT FIRST_MEDIA_PORT MEDIA_PORTS ONE_IN

A process of its own. The kernel filter shows it SIP, the callers' key packets and the RTP to one caller in
ONE_IN; packets wait in a large buffer and are read ten times a second, so that watching costs little of what
is watched. It prints what it saw (`bench.wire`) when standard input names the window: two Unix times.
"""

import json
import select
import socket
import struct
import sys
import time

from bench import sound, wire, wire_filter

ETH_P_IP = 0x0800
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 64 * 1024 * 1024
READ_EVERY_SECONDS = 0.1
_STAMP = struct.Struct("qq")


def watch(filter_lines: list[wire_filter.Line]) -> socket.socket:
    """A packet socket on loopback; each packet is shown once, as it arrives. Needs CAP_NET_RAW."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    wire_filter.attach(sock, filter_lines)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    sock.bind(("lo", ETH_P_IP))
    sock.setblocking(False)
    return sock


def read(sock: socket.socket, seen: list[wire.Packet]) -> None:
    """Take everything that waits."""
    while True:
        try:
            data, ancillary, _, _ = sock.recvmsg(65535, 64)
        except BlockingIOError:
            return
        seconds, nanoseconds = _STAMP.unpack(ancillary[0][2])
        seen.append((seconds + nanoseconds / 1e9, data))


def lost(sock: socket.socket) -> int:
    """How many packets found no room (PACKET_STATISTICS)."""
    _, dropped = struct.unpack("II", sock.getsockopt(263, 6, 8))
    return int(dropped)


def main() -> None:
    """Watch until a window is named; print what was seen in it."""
    sip_port, first, count, one_in = (int(argument) for argument in sys.argv[1:5])
    sock = watch(wire_filter.watched(sip_port, (first, count), one_in, sound.EVENT_PAYLOAD_TYPE))
    seen: list[wire.Packet] = []
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], READ_EVERY_SECONDS)[0]:
        read(sock, seen)
    read(sock, seen)
    spent = time.process_time()
    begin, end = (float(word) for word in sys.stdin.readline().split())
    view = wire.View(sip_port, range(first, first + count))
    for packet in seen:
        view.take(*packet)
    print(json.dumps({**view.report(begin, end), "unseen": lost(sock), "processor_seconds": round(spent, 3)}))


if __name__ == "__main__":
    main()
