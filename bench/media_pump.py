"""What the media process costs and how evenly it sends: calls of 5 s, RTP both ways, one key each.

    python -m bench.media_pump [--calls 100,400,800] [--seconds 15] [--json FILE]

Paired with the floor: the same number of packets from the shortest loop that can send them.
"""

import argparse
import asyncio
import json
import math
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

from ivr.gateway.media_link import MediaLink
from ivr.gateway.media_messages import KeyHeard, LegClosed, PumpFigures
from ivr.media.parameters import MediaParameters

ASK_SECONDS = 6.0
THANKS_SECONDS = 2.0
HERE = Path(__file__).resolve().parent


def make_prompt(path: Path, seconds: float) -> Path:
    """A tone: never equal to silence."""
    with wave.open(str(path), "wb") as recording:
        recording.setparams((1, 2, 8000, 0, "NONE", "NONE"))
        samples = (int(9000 * math.sin(n * 0.35)) for n in range(int(seconds * 8000)))
        recording.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path


def processor_seconds(pid: int) -> float:
    """Time on a core so far, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def floor_percent(calls: int, seconds: float = 3.0) -> float:
    """Percent of a core per 100 calls that the shortest loop needs for the same packets at the same pace.

    One connected socket per call, one send each every 20 ms, nothing else; what was sent is read untimed.
    """
    pairs = [(datagram_socket(), datagram_socket()) for _ in range(calls)]
    for receiver, sender in pairs:
        sender.connect(receiver.getsockname())
    packet, periods = bytes(172), int(seconds / 0.02)
    due, spent = time.monotonic(), 0.0
    for _ in range(periods):
        due += 0.02
        time.sleep(max(due - time.monotonic(), 0))
        begin = time.thread_time()
        for _, sender in pairs:
            sender.send(packet)
        spent += time.thread_time() - begin
        for receiver, _ in pairs:
            receiver.recv(256)
    for pair in pairs:
        for each in pair:
            each.close()
    return 100 * spent / (periods * 0.02) * 100 / calls


def datagram_socket() -> socket.socket:
    """Bound to some port of loopback."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.setblocking(False)
    return udp


class Bench:
    """One run with a fixed number of concurrent calls."""

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls, self.seconds = calls, seconds
        self.keys = self.calls_done = self.late = self.skipped = 0
        self.lateness: list[PumpFigures] = []
        self.link: MediaLink
        self._pressed: dict[int, asyncio.Event] = {}

    def take(self, event: object) -> None:
        """Barge in at once, as the engine would."""
        match event:
            case KeyHeard(leg):
                self.keys += 1
                self.link.stop(leg, 1)
                self._pressed[leg].set()
            case LegClosed(_, statistics):
                self.calls_done += 1
                self.late += statistics.late_frames
                self.skipped += statistics.skipped_frames
            case PumpFigures():
                self.lateness.append(event)

    async def caller(self, number: int, port: int, generator: socket.socket) -> None:
        """Calls of 5 s, one after another, begun at an even distance from the others'."""
        parameters = MediaParameters("127.0.0.1", "127.0.0.1", port, "PCMA", 8, 101, True, True, None)
        await asyncio.sleep(5.1 * number / self.calls)
        call = number
        while True:
            leg = call
            call += self.calls
            self._pressed[leg] = asyncio.Event()
            generator.send(json.dumps([number, await self.link.open(leg, parameters)]).encode())
            self.link.play(leg, 1, ("ask",), "zh-CN")
            await self._pressed[leg].wait()
            del self._pressed[leg]
            await asyncio.sleep(0.06)
            self.link.play(leg, 2, ("thanks",), "zh-CN")
            await asyncio.sleep(2.04)
            generator.send(json.dumps([number, 0]).encode())
            self.link.close(leg)

    def start_load(self) -> tuple[subprocess.Popen, socket.socket]:
        """The other side's process, and the socket that tells it which port to call."""
        theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            load = subprocess.Popen(
                [sys.executable, str(HERE / "media_load.py"), str(theirs.fileno()), str(self.calls)],
                pass_fds=(theirs.fileno(),),
            )
        return load, ours

    async def run(self) -> dict:
        """Warm up for one call's length, measure, give the figures."""
        load, ours = self.start_load()
        ports = json.loads(ours.recv(65536))
        with tempfile.TemporaryDirectory() as folder:
            prompts = {
                ("zh-CN", "ask"): make_prompt(Path(folder) / "ask.wav", ASK_SECONDS),
                ("zh-CN", "thanks"): make_prompt(Path(folder) / "thanks.wav", THANKS_SECONDS),
            }
            began = time.monotonic()
            self.link = await MediaLink.start(
                prompts=prompts, rtp_ports=(30000, 39999), media_timeout_seconds=20, on_event=self.take
            )
            start_seconds = time.monotonic() - began
        tasks = [asyncio.create_task(self.caller(number, port, ours)) for number, port in enumerate(ports)]
        await asyncio.sleep(6.0)
        ours.send(json.dumps("measure").encode())
        spent, done, began = processor_seconds(self.link.pid), self.calls_done, time.monotonic()
        await asyncio.sleep(self.seconds)
        spent = processor_seconds(self.link.pid) - spent
        wall, done = time.monotonic() - began, self.calls_done - done
        ours.send(json.dumps("report").encode())
        heard = json.loads(await asyncio.to_thread(ours.recv, 65536))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.link.shut_down()
        ours.close()
        load.wait()
        return {
            "calls": self.calls,
            "real_time": self.link.real_time,
            "start_seconds": round(start_seconds, 3),
            "core_percent": round(100 * spent / wall, 2),
            "core_percent_per_100_calls": round(100 * spent / wall * 100 / self.calls, 2),
            "calls_per_second": round(done / wall, 1),
            "tick_late_p99_ms": max((figures.late_p99_ms for figures in self.lateness[1:]), default=None),
            "presses": heard["presses"],
            "keys": self.keys,
            "late_frames": self.late,
            "skipped_frames": self.skipped,
            "gaps": heard["gaps"],
            "received": heard["received"],
            "deviation_ms": heard["deviation_ms"],
            "press_to_silence_ms": heard["press_to_silence_ms"],
        }


def measure(calls: tuple[int, ...] = (100, 400, 800), seconds: float = 15.0) -> dict:
    """All runs and the floor, as one JSON-able result."""
    random.seed(1)
    runs = []
    for count in calls:
        before = floor_percent(count)
        result = asyncio.run(Bench(count, seconds).run())
        # other work on the machine comes and goes: the mean of before and after is the fairer pair
        result["floor_percent_per_100_calls"] = round((before + floor_percent(count)) / 2, 2)
        result["times_floor"] = round(result["core_percent_per_100_calls"] / result["floor_percent_per_100_calls"], 2)
        runs.append(result)
    return {"name": "media_pump", "seconds": seconds, "runs": runs}


def table(result: dict) -> str:
    """The figures in columns."""
    heading = "calls  core%/100  floor%/100  x floor  deviation p50/p99/max ms  press to silence p50/p99 ms"
    lines = [f"{heading}  keys/presses  late  skipped"]
    for run in result["runs"]:
        deviation, stop = run["deviation_ms"], run["press_to_silence_ms"]
        lines.append(
            f"{run['calls']:5}  {run['core_percent_per_100_calls']:9}  {run['floor_percent_per_100_calls']:10}"
            f"  {run['times_floor']:7}  {deviation['p50']} / {deviation['p99']} / {deviation['max']}".ljust(60)
            + f"  {stop['p50']} / {stop['p99']}".ljust(28)
            + f"{run['keys']}/{run['presses']}  {run['late_frames']} {run['skipped_frames']}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", default="100,400,800")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = measure(tuple(int(part) for part in options.calls.split(",")), options.seconds)
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
