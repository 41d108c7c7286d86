"""The real server process: gunicorn, its workers, its signals, its figures."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from app import main

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 60

JOURNAL_IS_FULL = """
from ivr.gateway.figures import JOURNAL_FULL
JOURNAL_FULL.set(1)
print("set", flush=True)
input()
"""


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Server:
    url: str
    process: subprocess.Popen[str]
    environment: dict[str, str]

    def command(self, *arguments: str) -> str:
        """Run a command of `app.py` on the server's data; gives what it prints."""
        ours = {name: value for name, value in self.environment.items() if name.startswith("PINGJIA_")}
        result = CliRunner().invoke(main, arguments, env=ours)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, ROOT / "app.py", "web"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with its database, for all tests of this file that leave it as it was."""
    with running(tmp_path_factory.mktemp("server")) as one:
        one.command("db", "upgrade")
        yield one


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server without any database."""
    port = free_port()
    metrics = folder / "metrics"
    metrics.mkdir()
    environment = os.environ | {
        "PINGJIA_DATA_DIR": str(folder / "var"),
        "PINGJIA_HTTP_BIND": f"127.0.0.1:{port}",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "HOME": str(folder / "home"),
    }
    process = start(environment)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{url}/healthz"), "the web process did not answer")
        yield Server(url, process, environment)
    finally:
        if process.returncode is None:
            process.kill()
            process.communicate(timeout=DEADLINE_SECONDS)


def test_a_contact_is_registered_and_read_over_real_http(server: Server) -> None:
    headers = {"X-API-Key": server.command("channels", "add", "hotline", "--channel", "cti")}
    made = requests.post(f"{server.url}/api/v1/contacts", json={"work_order": "W1"}, headers=headers, timeout=10)
    assert made.status_code == 201
    found = requests.get(server.url + made.headers["Location"], headers=headers, timeout=10)
    assert found.json()["work_order"] == "W1"
    shown = server.command("contact", "show", made.json()["id"])
    assert "W1" in shown


def test_it_lives_before_there_is_a_database_says_what_is_missing_and_ends_cleanly(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        answer = requests.get(f"{server.url}/readyz", timeout=10)
        assert answer.status_code == 503
        assert "run app.py db upgrade" in answer.json()["checks"]["database"]
        server.command("db", "upgrade")
        assert requests.get(f"{server.url}/readyz", timeout=10).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        output, errors = server.process.communicate(timeout=DEADLINE_SECONDS)
        assert server.process.returncode == 0, errors
        assert "Traceback" not in output + errors
        assert not answers(f"{server.url}/healthz")


def test_a_full_journal_of_a_living_node_is_not_ready_and_a_dead_nodes_is_forgotten(server: Server) -> None:
    node = subprocess.Popen(
        [sys.executable, "-c", JOURNAL_IS_FULL],
        env=server.environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert node.stdout is not None
    assert node.stdout.readline() == "set\n"
    answer = requests.get(f"{server.url}/readyz", timeout=10)
    assert answer.status_code == 503
    assert "full" in answer.json()["checks"]["journal"]
    assert "pingjia_journal_full 1.0" in requests.get(f"{server.url}/metrics", timeout=10).text
    node.kill()
    node.communicate(timeout=DEADLINE_SECONDS)
    assert requests.get(f"{server.url}/readyz", timeout=10).status_code == 200


def test_figures_of_all_workers_are_added_up(server: Server) -> None:
    for _ in range(20):
        # a connection each: the kernel gives them to either worker
        requests.get(f"{server.url}/openapi.json", timeout=10)
    figures = requests.get(f"{server.url}/metrics", timeout=10).text
    assert 'pingjia_http_requests_total{method="GET",route="/openapi.json",status="200"} 20.0' in figures


def test_a_port_in_use_is_one_line_and_exit_two(server: Server) -> None:
    second = start(server.environment)
    output, errors = second.communicate(timeout=DEADLINE_SECONDS)
    port = server.environment["PINGJIA_HTTP_BIND"]
    assert (second.returncode, output) == (2, "")
    assert errors == f"Error: HTTP_BIND {port} cannot be used: Address already in use\n"


def test_nothing_is_written_into_the_home_folder(server: Server) -> None:
    assert not Path(server.environment["HOME"]).exists()


def test_a_database_url_nobody_can_use_is_one_line_and_exit_two(tmp_path: Path) -> None:
    environment = os.environ | {
        "PINGJIA_DATA_DIR": str(tmp_path),
        "PINGJIA_HTTP_BIND": f"127.0.0.1:{free_port()}",
        "PINGJIA_DATABASE_URL": "mysql://localhost/x",
    }
    process = start(environment)
    _, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 2
    assert errors.startswith("Error: DATABASE_URL")
    assert errors.count("\n") == 1
