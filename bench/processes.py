"""Programs under measurement: started until they say they are ready, and what their whole family has cost so far."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0
STOP_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class StartFailed(Exception):
    """A program did not become ready; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds so far, and seconds spent waiting for a processor."""

    user: float
    system: float
    waited: float
    """ready to run, but every core was taken"""

    @property
    def total(self) -> float:
        """Both."""
        return self.user + self.system

    def __sub__(self, earlier: "Cost") -> "Cost":
        return Cost(self.user - earlier.user, self.system - earlier.system, self.waited - earlier.waited)


class Program:
    """One `app.py` command, its log in a file."""

    def __init__(self, command: str, environment: dict[str, str], folder: Path) -> None:
        """Start it and wait until it says READY=1; raises StartFailed."""
        self.name = command
        self._log = folder / f"{command}.log"
        address = f"\0pingjia-bench-{os.getpid()}-{command}-{time.monotonic_ns()}"
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, self._log.open("wb") as log:
            notices.bind(address)
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py"), command],
                env={**environment, "NOTIFY_SOCKET": "@" + address[1:]},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            self._await_ready(notices)
        self.start_seconds = time.monotonic() - began

    def _await_ready(self, notices: socket.socket) -> None:
        notices.settimeout(0.1)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if b"READY=1" in notices.recv(4096):
                    return
            except TimeoutError:
                continue
        self.process.kill()
        self.process.wait()
        raise StartFailed(f"{self.name} did not start: {self._log.read_text(errors='replace')[-2000:]}")

    def costs(self) -> dict[str, Cost]:
        """Processor time of each process of the family: this one under its command's name, children by theirs."""
        return {
            self.name if pid == self.process.pid else f"{self.name}:{_title(pid)}": cost(pid)
            for pid in family(self.process.pid)
        }

    def resident_mib(self) -> float:
        """Memory of the whole family, shared pages counted in each."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in family(self.process.pid))
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

    def stop(self) -> None:
        """SIGTERM, and wait; one that does not stop is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def cost(pid: int) -> Cost:
    """User and system time of all threads, and of children that have ended (proc(5), fields 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, ended_user, ended_system = (int(field) / _TICKS for field in fields[11:15])
    tasks = (path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return Cost(user + ended_user, system + ended_system, sum(int(task[1]) for task in tasks) / 1e9)


def _title(pid: int) -> str:
    """`python -m ivr.gateway.rtp_pump 7` → `rtp_pump`."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return words[2].rpartition(".")[2] if len(words) > 2 and words[1] == "-m" else Path(words[0]).name
