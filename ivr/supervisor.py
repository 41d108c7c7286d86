"""Start the processes of one machine, wait until each is ready, bring a fallen one back, stop them in order.

Order is the rule: the one that feeds stops before the one that is fed, so that the last call's rating still
finds the delivery.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("serve")

READY_WITHIN_SECONDS = 30.0
RESTARTS_WITHIN_SECONDS = 60.0
MOST_RESTARTS = 5
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its name, its command line, and how long it may take to stop."""

    name: str
    command: Sequence[str]
    stop_seconds: float = 10.0


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    notices: socket.socket
    starts: list[float] = field(default_factory=list)


class StartFailed(Exception):
    """A process ended or stayed silent before it was ready; `exit_code` is its own where it had one."""

    def __init__(self, name: str, exit_code: int | None) -> None:
        """Say which process it was."""
        words = f"ended with exit code {exit_code}" if exit_code is not None else "did not become ready in time"
        super().__init__(f"{name} {words}")
        self.exit_code = exit_code


class Supervisor:
    """Starts programs and stops them one by one in the order they were launched: who feeds others comes first."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Nothing starts yet."""
        self._environment = dict(environment)
        self._children: dict[str, _Child] = {}
        self._stopping = False

    def launch(self, *programs: Program) -> None:
        """Start programs without waiting; they will be stopped after those launched before them."""
        for program in programs:
            self._children[program.name] = _launch(program, self._environment)

    def await_ready(self) -> None:
        """Return when each has said READY=1; raises StartFailed after stopping them all."""
        try:
            for child in self._children.values():
                self._await_ready(child)
        except StartFailed:
            self.stop()
            raise

    def _await_ready(self, child: _Child) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        child.notices.settimeout(0.05)
        while time.monotonic() < deadline and not self._stopping:
            try:
                if b"READY=1" in child.notices.recv(4096):
                    return
            except TimeoutError:
                exit_code = child.process.poll()
                if exit_code is not None:
                    raise StartFailed(child.program.name, exit_code) from None
        if not self._stopping:
            raise StartFailed(child.program.name, None)

    def watch(self) -> int:
        """Until told to stop, bring back what falls; gives the exit code for the whole (1: a process kept falling)."""
        while not self._stopping:
            time.sleep(0.2)
            for child in list(self._children.values()):
                if child.process.poll() is None or self._stopping:
                    continue
                log.error("process fell", process=child.program.name, exit_code=child.process.returncode)
                if not self._restart(child):
                    log.error("process keeps falling, stopping all", process=child.program.name)
                    self.stop()
                    return 1
        self.stop()
        return 0

    def _restart(self, child: _Child) -> bool:
        now = time.monotonic()
        recent = [start for start in child.starts if now - start < RESTARTS_WITHIN_SECONDS]
        if len(recent) >= MOST_RESTARTS:
            return False
        time.sleep(min(0.1 * 2 ** len(recent), 5.0))
        child.notices.close()
        fresh = _launch(child.program, self._environment)
        fresh.starts = [*recent, now]
        self._children[child.program.name] = fresh
        return True

    def ask_to_stop(self) -> None:
        """For a signal handler: `watch` returns soon and stops everything."""
        self._stopping = True

    def stop(self) -> None:
        """SIGTERM one after another in the order given, each within its own time, then SIGKILL what is left."""
        self._stopping = True
        for child in self._children.values():
            _stop(child)
        self._children.clear()


def _launch(program: Program, environment: Mapping[str, str]) -> _Child:
    address = f"\0pingjia-{os.getpid()}-{program.name}-{time.monotonic_ns()}"
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(address)
    process = subprocess.Popen(
        program.command,
        env={**environment, "NOTIFY_SOCKET": "@" + address[1:]},
        start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops the others in order
        preexec_fn=_die_with_parent(),  # noqa: PLW1509  the supervisor has one thread
    )
    return _Child(program, process, notices)


def _die_with_parent() -> Callable[[], None] | None:
    """Give what a child runs so that it gets SIGTERM when the supervisor itself is killed (Linux only)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(child: _Child) -> None:
    child.process.terminate()
    try:
        child.process.wait(child.program.stop_seconds)
    except subprocess.TimeoutExpired:
        log.error("process did not stop in time, killed", process=child.program.name)
        child.process.kill()
        child.process.wait()
    child.notices.close()


def poll_signals(supervisor: Supervisor) -> None:
    """SIGTERM and SIGINT ask the supervisor to stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.ask_to_stop())
