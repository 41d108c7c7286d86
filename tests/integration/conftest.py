"""Databases for integration tests: each test gets fresh ones, once on SQLite and once on a real PostgreSQL.

A test whose subject is not the database takes SQLite alone:
`@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)`.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from outside import postgres
from sqlalchemy import Engine

from store.database import open_engine
from store.upgrade import upgrade

BOTH = ["sqlite", "postgresql"]
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """The folder of a running server's socket; skips where PostgreSQL is not installed."""
    found = postgres.binaries()
    if found is None:
        pytest.skip("PostgreSQL's server is not installed (apt-get install postgresql)")
    with postgres.cluster(found) as server:
        yield str(server.folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_socket: str) -> str:
    """The name of a database with the current schema, to be copied."""
    url = _new_database(postgres_socket)
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    return str(engine.url.database)


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


@pytest.fixture(params=BOTH)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'pingjia.db'}"
    return _new_database(request.getfixturevalue("postgres_socket"))


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path, opened: Callable[[str], Engine]) -> str:
    """The URL of a database with the current schema and no rows."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    url = f"sqlite:///{tmp_path / 'pingjia.db'}"
    upgrade(opened(url))
    return url


@pytest.fixture
def postgres_url(postgres_socket: str, postgres_template: str) -> str:
    """A database with the current schema, on PostgreSQL alone: for what SQLite has not got."""
    return _new_database(postgres_socket, postgres_template)


def _new_database(folder: str, template: str = "template0") -> str:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"postgresql://postgres@/{name}?host={folder}"
