"""The floor: what it costs merely to send as many packets, from the shortest loop that can.

    python -m bench.floor CALLS SECONDS

50 packets per call and second, all of one 20 ms in one burst, to ports that are open. Measured while the calls are
still up: what caches and cores they leave is then the same for both.
"""

import json
import socket
import subprocess
import sys
import time

from bench.wire_filter import attach, nothing

FRAME_SECONDS = 0.02
PACKET = bytes(172)


def send(calls: int, seconds: float) -> dict[str, float]:
    """Send for so long; percent of a core, and microseconds per packet."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sendto = sock.sendto
    held = [_receiver() for _ in range(calls)]
    targets = [each.getsockname() for each in held]
    turns = round(seconds / FRAME_SECONDS)
    began, spent = time.monotonic(), time.process_time()
    for turn in range(turns):
        pause = began + turn * FRAME_SECONDS - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        for target in targets:
            sendto(PACKET, target)
    spent, wall = time.process_time() - spent, time.monotonic() - began
    for each in (sock, *held):
        each.close()
    return {
        "core_percent_per_100_calls": round(100 * spent / wall * 100 / calls, 3),
        "microseconds_per_packet": round(spent / (calls * turns) * 1e6, 3),
    }


def _receiver() -> socket.socket:
    """An open port whose packets are dropped before they wake anybody."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    attach(udp, nothing())
    udp.bind(("127.0.0.1", 0))
    return udp


def measure(calls: int, seconds: float) -> dict[str, float]:
    """The same, in a process that has nothing else in it."""
    command = [sys.executable, "-m", "bench.floor", str(calls), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(send(int(sys.argv[1]), float(sys.argv[2]))))
