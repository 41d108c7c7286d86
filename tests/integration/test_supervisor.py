"""Starting, watching and stopping real processes."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ivr.supervisor import Program, StartFailed, Supervisor

READY = "from ivr.readiness import notify; notify('READY=1')"
ROOT = Path(__file__).parents[2]


def program(name: str, body: str, stop_seconds: float = 5.0) -> Program:
    return Program(name, [sys.executable, "-c", body], stop_seconds)


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "note"


def sleeper(note: Path, word: str) -> str:
    """Becomes ready, writes its pid, and on SIGTERM notes its word."""
    return (
        f"{READY}\nimport os, signal, sys, pathlib\nnote = pathlib.Path({str(note)!r})\n"
        f"def end(*_):\n    note.open('a').write({word!r} + '\\n')\n    sys.exit(0)\n"
        f"signal.signal(signal.SIGTERM, end)\n"
        f"pathlib.Path(str(note) + {word!r} + '.pid').write_text(str(os.getpid()))\n"
        "while True: signal.pause()\n"
    )


def pid_of(note: Path, word: str) -> int:
    path = Path(f"{note}{word}.pid")
    until(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())


def test_who_feeds_stops_before_who_is_fed(environment: dict[str, str], note: Path) -> None:
    programs = [program("first", sleeper(note, "first")), program("second", sleeper(note, "second"))]
    supervisor = Supervisor(environment)
    supervisor.launch(*programs)
    supervisor.await_ready()
    for word in ("first", "second"):
        pid_of(note, word)
    supervisor.stop()
    assert note.read_text().split() == ["first", "second"]


def test_a_program_that_cannot_start_takes_the_others_down_and_gives_its_exit_code(
    environment: dict[str, str], note: Path
) -> None:
    supervisor = Supervisor(environment)
    supervisor.launch(program("good", sleeper(note, "good")), program("bad", "import sys; sys.exit(2)"))
    with pytest.raises(StartFailed) as caught:
        supervisor.await_ready()
    assert caught.value.exit_code == 2
    assert "bad" in str(caught.value)


def test_a_fallen_program_is_brought_back(environment: dict[str, str], note: Path) -> None:
    supervisor = Supervisor(environment)
    supervisor.launch(program("one", sleeper(note, "one")))
    supervisor.await_ready()
    first = pid_of(note, "one")
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    os.kill(first, signal.SIGKILL)
    until(lambda: pid_of(note, "one") != first)
    supervisor.ask_to_stop()
    watcher.join(10)
    assert not lives(pid_of(note, "one"))


def test_a_program_deaf_to_sigterm_is_killed_after_its_time(environment: dict[str, str]) -> None:
    deaf = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{READY}\nwhile True: signal.pause()"
    supervisor = Supervisor(environment)
    supervisor.launch(program("deaf", deaf, stop_seconds=0.2))
    supervisor.await_ready()
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 3
