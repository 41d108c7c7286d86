"""The service as its engineer runs it: `app.py serve` or `app.py ivr` as a real process with settings of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from click.testing import CliRunner
from outside import ports, tones
from outside.waiting import until

import app

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app.py"
FLOWS = ROOT / "tests" / "acceptance" / "flows"
START_SECONDS = 30.0
STOP_SECONDS = 45.0

Row = dict[str, Any]


class Service:
    """One installation: its folder, its settings, its processes. Short flow and tone prompts unless set otherwise."""

    def __init__(self, folder: Path, command: str = "serve", *, host: str = "127.0.0.1", **settings: object) -> None:
        """`settings` are Pingjia's, in lower case; what is not given is made free of clashes with other runs."""
        self.folder = folder
        self.command = command
        self.host = host
        self.port = ports.sip_port(host)
        self.http = ports.http_port()
        self.data = folder / "data"
        self.log = folder / f"{command}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._lives_before = 0
        bracketed = f"[{host}]" if ":" in host else host
        self.address = f"{bracketed}:{self.port}"
        self.settings: dict[str, object] = {
            "data_dir": self.data,
            "sip_bind": self.address,
            "http_bind": f"127.0.0.1:{self.http}",
            "rtp_ports": ports.rtp_range(),
            "flow": FLOWS / "quick.yaml",
            "media_timeout_seconds": 3,
            "drain_seconds": 10,
            **settings,
        }
        if "prompts" not in self.settings:
            self.settings["prompts"] = tones.make(folder / "prompts")

    @property
    def environment(self) -> dict[str, str]:
        """The test's own environment without its Pingjia settings, and ours."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PINGJIA_", "PROMETHEUS_"))}
        clean.pop("NOTIFY_SOCKET", None)
        return clean | {f"PINGJIA_{name.upper()}": str(value) for name, value in self.settings.items()}

    def start(self) -> Self:
        """Start and wait until it is ready for calls; its log is in the failure's message if it never is."""
        began = time.monotonic()
        self._lives_before = self.text().count("is running")
        name = f"\0pingjia-test-{os.getpid()}-{time.monotonic_ns()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, self.log.open("ab") as log:
            notices.bind(name)
            notices.settimeout(0.05)
            self.process = subprocess.Popen(
                [sys.executable, str(APP), self.command],
                cwd=self.folder,
                env=self.environment | {"NOTIFY_SOCKET": "@" + name[1:]},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            while not self._ready(notices):
                assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.text()}"
                assert time.monotonic() < began + START_SECONDS, f"it is not ready in time:\n{self.text()}"
        self.start_seconds = time.monotonic() - began
        return self

    def _ready(self, notices: socket.socket) -> bool:
        try:
            return b"READY=1" in notices.recv(4096)
        except TimeoutError:
            # `serve` says so to a person: its children's notices go to itself
            return self.command == "serve" and self.text().count("is running") > self._lives_before

    def refuse_to_start(self, within: float = 30.0) -> tuple[int, str]:
        """Run what should not start; its exit code and what it wrote to standard error."""
        done = subprocess.run(
            [sys.executable, str(APP), self.command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        return done.returncode, done.stderr

    def stop(self) -> int:
        """SIGTERM, and wait; the exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it does not stop on SIGTERM:\n{self.text()}") from None

    def kill(self) -> None:
        """SIGKILL everything that is left of it."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process is not None:
            self.process.wait(10)

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def text(self) -> str:
        """What it has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def processes(self, word: str = "") -> list[int]:
        """Every live process that runs with this installation's DATA_DIR and has `word` in its command line."""
        mark = f"PINGJIA_DATA_DIR={self.data}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                ours = mark in (entry / "environ").read_bytes().split(b"\0")
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if ours and (not word or any(each.decode().endswith(word) for each in words)):
                found.append(int(entry.name))
        return sorted(found)

    def node_process(self) -> int:
        """The node's process under `serve`, or the service's own."""
        found = self.processes("ivr")
        assert len(found) == 1, f"{len(found)} nodes run"
        return found[0]

    def media_process(self) -> int:
        """The process with the 20 ms clock."""
        found = [pid for pid in self.processes() if b"rtp_pump" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(found) == 1, f"{len(found)} media processes run"
        return found[0]

    # --- its commands

    def run(self, *arguments: str, check: bool = True, within: float = 60.0) -> str:
        """Run one command of this installation; its standard output."""
        done = self.run_anyhow(*arguments, within=within)
        assert not check or done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stderr}"
        return done.stdout

    def run_anyhow(self, *arguments: str, within: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run one command of this installation, whatever its exit code."""
        return subprocess.run(
            [sys.executable, str(APP), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def _list(self, what: str) -> list[Row]:
        """Run the command within this process: it is asked often, and half a second each time adds up."""
        told = CliRunner().invoke(app.main, [what, "list", "--format", "jsonl"], env=self.environment)
        assert told.exit_code == 0, told.output
        return [json.loads(line) for line in told.stdout.splitlines()]

    def calls(self) -> list[Row]:
        """`calls list`, every row."""
        return self._list("calls")

    def evaluations(self) -> list[Row]:
        """`evaluations list`, every row."""
        return self._list("evaluations")

    def call(self, call_id: str, within: float = 15.0) -> Row:
        """The one row of a call, once the delivery has brought it to the store."""
        found = until(
            lambda: [row for row in self.calls() if row["call_id"] == call_id], f"the row of {call_id}", within
        )
        assert len(found) == 1, f"a call has {len(found)} rows"
        return found[0]

    def evaluation(self, call_id: str, within: float = 15.0) -> Row:
        """The one evaluation that came of a call."""
        found = until(lambda: self.evaluations_of(call_id), f"the evaluation of {call_id}", within)
        assert len(found) == 1, f"a call has {len(found)} evaluations"
        return found[0]

    def evaluations_of(self, call_id: str) -> list[Row]:
        """The evaluations that came of a call: at most one, or something is wrong."""
        return [row for row in self.evaluations() if row.get("call_id") == call_id]

    def contact(self, *options: str) -> Row:
        """`contact add`: id, token, transfer_uri and the rest."""
        row: Row = json.loads(self.run("contact", "add", "--format", "json", *options))
        return row

    def get(self, path: str) -> tuple[int, str]:
        """GET from its web process: status and text."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def figure(self, name: str, **labels: str) -> float:
        """One figure of /metrics; 0.0 where it is not there yet."""
        for line in self.get("/metrics")[1].splitlines():
            named = line.startswith(name) and line[len(name) : len(name) + 1] in {" ", "{"}
            if named and all(f'{key}="{value}"' in line for key, value in labels.items()):
                return float(line.rpartition(" ")[2])
        return 0.0
