"""The other side of the media benchmark: sends RTP to every leg, and times what comes back by the kernel's clock.

Run by `media_pump.py` as a process of its own, so that its work is not counted as the pump's.
"""

import json
import select
import socket
import struct
import sys
import time
from array import array
from dataclasses import dataclass, field

SO_TIMESTAMPNS = 35
FRAME = 0.020
EVENT = 101
PRESS_AFTER = 3.0
EVENT_PACKETS = 8
SILENCE = b"\xd5" * 160


@dataclass(slots=True)
class Caller:
    """One leg's other side."""

    udp: socket.socket
    sequence: int = 0
    timestamp: int = 0
    target: tuple[str, int] | None = None
    began: float = 0.0
    pressed_at: float = 0.0
    event_packets: int = 0
    last_at: float = 0.0
    last_sequence: int = -1
    waiting: bool = False


@dataclass(slots=True)
class Load:
    """All callers, spread over the 20 ms by number."""

    callers: list[Caller]
    deviations: array = field(default_factory=lambda: array("d"))
    stops: array = field(default_factory=lambda: array("d"))
    sent: int = 0
    received: int = 0
    lost: int = 0
    presses: int = 0
    measuring: bool = False


def open_callers(count: int) -> list[Caller]:
    """Sockets with kernel timestamps."""
    callers = []
    for _ in range(count):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        callers.append(Caller(udp))
    return callers


def send(load: Load, caller: Caller, now: float) -> None:
    """One packet: audio, or a telephone-event while the key is down."""
    if caller.target is None:
        return
    caller.sequence = (caller.sequence + 1) & 0xFFFF
    caller.timestamp += 160
    if caller.event_packets == 0 and now - caller.began >= PRESS_AFTER:
        caller.pressed_at, caller.waiting = time.time(), True
        load.presses += 1
    if now - caller.began >= PRESS_AFTER and caller.event_packets < EVENT_PACKETS:
        first = caller.timestamp - 160 * caller.event_packets
        caller.event_packets += 1
        ended = 0x80 if caller.event_packets > EVENT_PACKETS - 3 else 0
        header = struct.pack(">BBHII", 0x80, EVENT, caller.sequence, first & 0xFFFFFFFF, id(caller) & 0xFFFFFFFF)
        packet = header + struct.pack(">BBH", 2, ended | 10, 160 * caller.event_packets)
    else:
        header = struct.pack(">BBHII", 0x80, 8, caller.sequence, caller.timestamp & 0xFFFFFFFF, id(caller) & 0xFFFFFFFF)
        packet = header + SILENCE
    caller.udp.sendto(packet, caller.target)
    load.sent += 1


def receive(load: Load, caller: Caller) -> None:
    """Take everything that came and note the distance of each packet from the one before."""
    while True:
        try:
            data, ancillary, _, source = caller.udp.recvmsg(256, 64)
        except OSError:
            return
        if caller.target is None or source != caller.target:
            continue
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
        at = seconds + nanoseconds / 1e9
        sequence = int.from_bytes(data[2:4], "big")
        if load.measuring:
            load.received += 1
            if sequence == (caller.last_sequence + 1) & 0xFFFF:
                load.deviations.append(abs(at - caller.last_at - FRAME))
            elif caller.last_sequence >= 0:
                load.lost += 1
        caller.last_at, caller.last_sequence = at, sequence
        if caller.waiting and at >= caller.pressed_at and data[12:] == SILENCE:
            caller.waiting = False
            load.stops.append(at - caller.pressed_at)


def obey(load: Load, order: list) -> None:
    """[number, port] begins a call, [number, 0] ends it, "measure" begins the measurement."""
    if order == "measure":
        load.measuring = True
        return
    number, port = order
    caller = load.callers[number]
    caller.target = ("127.0.0.1", port) if port else None
    caller.began = time.monotonic()
    caller.event_packets, caller.last_sequence, caller.waiting = 0, -1, False
    caller.timestamp += 100_000


def main() -> None:
    """Serve the orders on the descriptor until it ends; then print the figures."""
    link = socket.socket(fileno=int(sys.argv[1]))
    count = int(sys.argv[2])
    load = Load(open_callers(count))
    link.send(json.dumps([caller.udp.getsockname()[1] for caller in load.callers]).encode())
    link.setblocking(False)
    poller = select.epoll()
    by_descriptor = {caller.udp.fileno(): caller for caller in load.callers}
    for descriptor in by_descriptor:
        poller.register(descriptor, select.EPOLLIN)
    steps = 10
    groups = [load.callers[step::steps] for step in range(steps)]
    due, step = time.monotonic(), 0
    while True:
        due += FRAME / steps
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        now = time.monotonic()
        for caller in groups[step]:
            send(load, caller, now)
        step = (step + 1) % steps
        for descriptor, _ in poller.poll(0, 2048):
            receive(load, by_descriptor[descriptor])
        try:
            datagram = link.recv(65536)
        except BlockingIOError:
            continue
        if not datagram:
            return
        order = json.loads(datagram)
        if order == "report":
            break
        obey(load, order)
    link.setblocking(True)
    link.send(json.dumps(report(load)).encode())
    while link.recv(65536):
        pass  # orders that crossed the report: closing over them would reset the link


def report(load: Load) -> dict:
    """Percentiles of what was measured."""
    return {
        "sent": load.sent,
        "received": load.received,
        "gaps": load.lost,
        "presses": load.presses,
        "deviation_ms": percentiles(load.deviations),
        "press_to_silence_ms": percentiles(load.stops),
    }


def percentiles(seconds: array) -> dict:
    """p50, p99 and maximum in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {"p50": None, "p99": None, "max": None}
    at = {"p50": len(ordered) // 2, "p99": int(len(ordered) * 0.99), "max": len(ordered) - 1}
    return {name: round(ordered[place] * 1000, 3) for name, place in at.items()}


if __name__ == "__main__":
    main()
