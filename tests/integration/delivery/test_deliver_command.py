"""`app.py deliver` as an engineer meets it: what it prints, how it exits, how it stops."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select
from test_delivery import Node, until

from store.database import open_engine
from store.schema import Call
from store.upgrade import upgrade

ROOT = Path(__file__).parents[3]


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / "journal" / "node-1")
    yield node
    node.journal.close()


@pytest.fixture
def command(tmp_path):
    def start(*arguments: str, **settings: str) -> subprocess.Popen:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PINGJIA_")}
        return subprocess.Popen(
            [sys.executable, ROOT / "app.py", "deliver", *arguments],
            env=environment | {"PINGJIA_DATA_DIR": str(tmp_path)} | settings,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def database(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'pingjia.db'}")
    upgrade(engine)
    yield engine
    engine.dispose()


def test_once_delivers_what_is_there_and_says_how_much(command, node, database):
    for _ in range(3):
        node.whole_call()
    run = command("--once")
    out, _ = run.communicate()
    assert (run.returncode, out) == (0, "3 calls delivered\n")


def test_once_with_the_database_down_is_one_line_and_exit_1(command, node):
    node.whole_call()
    run = command("--once")
    _, err = run.communicate()
    assert run.returncode == 1
    assert "does not exist yet" in err.splitlines()[-1]
    assert "1 calls wait in the journal" in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_url_that_is_none_is_one_line_and_exit_2(command):
    run = command(PINGJIA_DATABASE_URL="nonsense")
    _, err = run.communicate()
    assert run.returncode == 2
    assert err.startswith("Error: ")
    assert len(err.splitlines()) == 1


def test_a_second_delivery_is_refused_by_name_and_sigterm_stops_the_first(command, node, database):
    node.whole_call()
    first = command()

    def delivered() -> bool:
        with database.connect() as connection:
            return connection.scalar(select(func.count()).select_from(Call)) == 1

    until(delivered)
    second = command()
    _, err = second.communicate()
    assert second.returncode == 2
    assert f"already being delivered by process {first.pid}" in err
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=10)
    assert first.returncode == 0
