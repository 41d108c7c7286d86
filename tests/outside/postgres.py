"""A private PostgreSQL for one test run: its own folder, a Unix socket, no network."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

# nothing here outlives the machine, so nothing is synced; what was committed outlives the server all the same
OPTIONS = "-c fsync=off -c full_page_writes=off -c listen_addresses='' -c max_connections=60"

_numbers = count(1)


def binaries() -> Path | None:
    """Find the newest server binaries Debian installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


class Cluster:
    """A server in a folder of its own. It refuses to run as root, so root becomes `postgres`."""

    def __init__(self, folder_of_binaries: Path) -> None:
        """Made, not started."""
        self._binaries = folder_of_binaries
        self._as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.folder = Path(tempfile.mkdtemp(prefix="pingjia-pg-"))
        self._data = str(self.folder / "data")
        if self._as_postgres:
            shutil.chown(self.folder, "postgres")
        self._run(
            "initdb", "-D", self._data, "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"
        )

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"{OPTIONS} -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", self._data, "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop without a farewell, as a machine that falls."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def new_database(self) -> str:
        """The URL of a fresh database without any schema."""
        name = f"test_{next(_numbers)}"
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def remove(self) -> None:
        """Leave nothing behind."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_postgres, str(self._binaries / program), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def cluster(folder_of_binaries: Path) -> Iterator[Cluster]:
    """A running server, removed at the end."""
    made = Cluster(folder_of_binaries)
    try:
        made.start()
        yield made
    finally:
        made.remove()
