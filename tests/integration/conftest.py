"""Databases for integration tests: each test gets fresh ones, once on SQLite and once on a real PostgreSQL."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import postgres
import psycopg
import pytest
from sqlalchemy import Engine

from store.database import open_engine
from store.upgrade import upgrade

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """The folder of a running server's socket; skips where PostgreSQL is not installed."""
    found = postgres.binaries()
    if found is None:
        pytest.skip("PostgreSQL's server is not installed (apt-get install postgresql)")
    with postgres.cluster(found) as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'pingjia.db'}"
    return _new_database(request.getfixturevalue("postgres_socket"))


def _new_database(folder: str) -> str:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://postgres@/{name}?host={folder}"


@pytest.fixture
def postgres_url(postgres_socket: str, opened: Callable[[str], Engine]) -> str:
    """A database with the current schema, on PostgreSQL alone: for what SQLite has not got."""
    url = _new_database(postgres_socket)
    upgrade(opened(url))
    return url


@pytest.fixture
def opened() -> Iterator[Callable[[str], Engine]]:
    """Engines for a test; their connections are given back at its end."""
    engines: list[Engine] = []

    def open_one(url: str) -> Engine:
        engines.append(open_engine(url))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.dispose()


@pytest.fixture
def database_url(empty_database: str) -> str:
    """The URL of a database with the current schema and no rows."""
    engine = open_engine(empty_database)
    upgrade(engine)
    engine.dispose()
    return empty_database
