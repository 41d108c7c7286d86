"""Whole calls: `app.py ivr` and `app.py deliver` as in production, SIPp as the callers, the wire as the witness.

Processor time is that of every process of the service over a window in which the number of calls is steady;
what reached the database is compared, call by call, with the key that was seen on the wire.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from bench import floor, sound
from bench.percentiles import from_buckets
from bench.processes import ROOT, Cost, Program, cost
from bench.sipp_caller import CALL_SECONDS, GRADES, MEDIA_PORT, MEDIA_PORTS, Callers, Statistics

WARM_UP_SECONDS = 7.0
DELIVERY_SECONDS = 30.0
STREAMS_WATCHED = 25
FLOOR_SECONDS = 3.0
RTP_PORTS = "20000-29999"


class BenchImpossible(Exception):
    """This machine or user cannot run the benchmark; the message says why."""


def measure(concurrent: int, seconds: float, folder: Path | None = None) -> dict[str, object]:
    """One level: so many calls at a time, measured for so long; everything it came to."""
    if os.geteuid() != 0:
        raise BenchImpossible("calls are measured as root: SIPp plays captures and the observer listens on raw sockets")
    with tempfile.TemporaryDirectory(dir=folder, prefix="pingjia-bench-") as scratch:
        return _Level(concurrent, seconds, Path(scratch)).run()


class _Level:
    def __init__(self, concurrent: int, seconds: float, folder: Path) -> None:
        self._concurrent, self._seconds, self._folder = concurrent, seconds, folder
        self._sip = ("127.0.0.1", _free_port())
        self._environment = self._prepare()

    def _prepare(self) -> dict[str, str]:
        prompts = sound.write_prompts(self._folder / "prompts")
        metrics = self._folder / "metrics"
        metrics.mkdir()
        settings = {
            "DATA_DIR": self._folder / "var",
            "SIP_BIND": "{}:{}".format(*self._sip),
            "RTP_PORTS": RTP_PORTS,
            "FLOW": ROOT / "bench" / "flow.yaml",
            "PROMPTS": prompts,
            "MAX_CALLS": 2 * self._concurrent + 100,
        }
        foreign = {name: value for name, value in os.environ.items() if not name.startswith("PINGJIA_")}
        ours = {f"PINGJIA_{name}": str(value) for name, value in settings.items()}
        return {**foreign, **ours, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}

    def run(self) -> dict[str, object]:
        self._app("db", "upgrade")
        one_in = _power_of_two(self._concurrent / STREAMS_WATCHED)
        with self._service() as (node, deliver):
            with _held("bench.observer", self._sip[1], MEDIA_PORT, MEDIA_PORTS, one_in) as observer:
                callers = self._call()
                window, spent, mine = self._window([node, deliver], callers)
                bare = floor.measure(self._concurrent, FLOOR_SECONDS)
                statistics = callers.wait(60)
                wire = _told(observer, window)
            memory = node.resident_mib()
            start_seconds = node.start_seconds
            rows = self._delivered(statistics.completed)
            figures = self._figures()
        result = self._cost(window, spent, mine, rows, bare["core_percent_per_100_calls"])
        return {
            "calls": self._concurrent,
            "seconds": self._seconds,
            **result,
            "start_seconds": round(start_seconds, 2),
            "resident_mib": memory,
            **self._truth(statistics, wire, rows, figures),
            **figures,
            "wire": {**wire, "one_in": one_in, "keys": len(wire["keys"])},
            "sipp": asdict(statistics),
        }

    @contextmanager
    def _service(self) -> Iterator[tuple[Program, Program]]:
        node = Program("ivr", self._environment, self._folder)
        try:
            deliver = Program("deliver", self._environment, self._folder)
            try:
                yield node, deliver
            finally:
                deliver.stop()
        finally:
            node.stop()

    def _call(self) -> Callers:
        seconds = WARM_UP_SECONDS + self._seconds + 1 + FLOOR_SECONDS
        calls = round(seconds * self._concurrent / CALL_SECONDS)
        return Callers(self._folder, self._sip, concurrent=self._concurrent, calls=calls)

    def _window(self, programs: list[Program], callers: Callers) -> tuple[tuple[float, float], dict[str, Cost], float]:
        """Wait through the steady window; (its begin and end, what each process spent in it, what SIPp spent)."""
        time.sleep(WARM_UP_SECONDS)
        begin, before, sipp = time.time(), _costs(programs), _sipp_cost(callers)
        time.sleep(self._seconds)
        after, end = _costs(programs), time.time()
        spent = {name: after[name] - earlier for name, earlier in before.items()}
        return (begin, end), spent, _sipp_cost(callers) - sipp

    def _delivered(self, expected: int) -> dict[str, list[dict[str, object]]]:
        """Rows of the store, once as many calls are in it or the delivery has had its time."""
        deadline = time.monotonic() + DELIVERY_SECONDS
        while True:
            calls = self._rows("calls")
            if len(calls) >= expected or time.monotonic() > deadline:
                return {"calls": calls, "evaluations": self._rows("evaluations")}
            time.sleep(0.5)

    def _rows(self, what: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._app(what, "list", "--format", "jsonl").splitlines()]

    def _app(self, *words: str) -> str:
        command = [sys.executable, str(ROOT / "app.py"), *words]
        return subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True).stdout

    def _figures(self) -> dict[str, object]:
        """The service's own histograms and counts, from its metrics files."""
        command = [sys.executable, "-m", "bench.own_figures", self._environment["PROMETHEUS_MULTIPROC_DIR"]]
        done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=self._environment)
        own = json.loads(done.stdout)
        durable = [(float(bound), count) for bound, count in own["press_durable"]]
        return {
            "press_to_durable_ms": {"p50": from_buckets(durable, 0.5), "p99": from_buckets(durable, 0.99)},
            "keys_heard": own["keys"],
            "clock_late_p99_ms": own["clock_late_p99_ms"],
            "frames_skipped": own["frames_skipped"],
        }

    def _cost(
        self,
        window: tuple[float, float],
        spent: dict[str, Cost],
        sipp_seconds: float,
        rows: dict[str, list[dict[str, object]]],
        bare: float,
    ) -> dict[str, object]:
        """Percent of a core per 100 calls and milliseconds per call, with the calls that there really were."""
        wall = window[1] - window[0]
        mean, ended = _load(rows["calls"], window)
        per_hundred = {name: 100 * each.total / wall * 100 / mean for name, each in spent.items()} if mean else {}
        node = sum(value for name, value in per_hundred.items() if name.startswith("ivr"))
        deliver = sum(value for name, value in per_hundred.items() if name.startswith("deliver"))
        return {
            "mean_concurrent": round(mean, 1),
            "calls_per_second": round(ended / wall, 1),
            "core_percent_per_100": {
                "node": round(node, 2),
                "deliver": round(deliver, 2),
                "together": round(node + deliver, 2),
                "processes": {name: round(value, 2) for name, value in per_hundred.items()},
                "floor": round(bare, 2),
                "sipp": round(100 * sipp_seconds / wall * 100 / mean, 1) if mean else None,
            },
            "times_floor": round(node / bare, 2),
            "node_ms_per_call": round(
                1000 * sum(each.total for name, each in spent.items() if name.startswith("ivr")) / ended, 2
            )
            if ended
            else None,
            "ms_per_call": {
                name: round(1000 * each.total / ended, 2) if ended else None for name, each in spent.items()
            },
            "waited_percent": {name: round(100 * each.waited / wall, 1) for name, each in spent.items()},
            "system_share": round(
                sum(each.system for each in spent.values()) / max(sum(each.total for each in spent.values()), 1e-9), 2
            ),
        }

    def _truth(
        self,
        statistics: Statistics,
        wire: dict[str, object],
        rows: dict[str, list[dict[str, object]]],
        figures: dict[str, object],
    ) -> dict[str, object]:
        """Each call's key on the wire against what the store holds for its Call-ID."""
        pressed = wire["keys"]
        assert isinstance(pressed, dict)
        stored = Counter(str(row["call_id"]) for row in rows["evaluations"])
        grades = {str(row["call_id"]): row["grade"] for row in rows["evaluations"]}
        wrong = [id_ for id_, keys in pressed.items() if id_ in grades and grades[id_] != GRADES.get(keys)]
        keys = sum(len(each) for each in pressed.values())
        return {
            "completed": statistics.completed,
            "failed": statistics.failed,
            "invite_retransmissions": max(statistics.retransmissions, int(str(wire["invite_retransmissions"]))),
            "digits": {
                "pressed": keys,
                "lost": sum(1 for id_, each in pressed.items() if each and id_ not in stored),
                "wrong": len(wrong),
                "doubled": max(int(str(figures["keys_heard"])) - keys, 0) + sum(n - 1 for n in stored.values()),
            },
            "outcomes": dict(Counter(str(row["outcome"]) for row in rows["calls"])),
        }


def _load(calls: list[dict[str, object]], window: tuple[float, float]) -> tuple[float, int]:
    """Mean number of calls up in the window, and how many ended in it."""

    def moment(row: dict[str, object], name: str) -> float:
        return datetime.fromisoformat(str(row[name])).timestamp()

    begin, end = window
    spans = [(moment(row, "answered_at"), moment(row, "ended_at")) for row in calls]
    up = sum(max(0.0, min(till, end) - max(since, begin)) for since, till in spans)
    return up / (end - begin), sum(1 for _, till in spans if begin <= till < end)


def _costs(programs: list[Program]) -> dict[str, Cost]:
    return {name: each for program in programs for name, each in program.costs().items()}


def _sipp_cost(callers: Callers) -> float:
    with suppress(FileNotFoundError):
        return cost(callers.process.pid).total
    return 0.0


def _told(observer: "subprocess.Popen[str]", window: tuple[float, float]) -> dict[str, object]:
    told, _ = observer.communicate("{} {}\n".format(*window), timeout=120)
    result: dict[str, object] = json.loads(told.splitlines()[-1])
    return result


@contextmanager
def _held(module: str, *arguments: int) -> "Iterator[subprocess.Popen[str]]":
    """A process of the bench's own, up from its `ready` until the block ends."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline().strip() != "ready":
                raise BenchImpossible(f"{module} did not start")
            yield process
        finally:
            if process.poll() is None:
                assert process.stdin is not None
                process.stdin.close()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _power_of_two(number: float) -> int:
    power = 1
    while power * 2 <= number:
        power *= 2
    return power


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.0.1", 0))
        tcp.bind(("127.0.0.1", udp.getsockname()[1]))
        port: int = udp.getsockname()[1]
        return port
