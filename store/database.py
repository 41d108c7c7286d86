"""Opening the database. Rule: whoever works in it has seen that it answers and that its schema is the one needed.

SQLite: WAL, synchronous=FULL, BEGIN IMMEDIATE for writers (a plain BEGIN under WAL loses concurrent updates to
"database is locked"). PostgreSQL: psycopg 3. Every fault leaves this module as a `StoreError` of one sentence that
holds no password.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy import Engine as Engine  # noqa: PLC0414  named to those who may not import SQLAlchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.errors import SchemaMismatch, SchemaMissing, SchemaTooNew, SchemaTooOld, StoreMisconfigured, StoreUnavailable
from store.schema import REVISION

BUSY_SECONDS = 10
CONNECT_SECONDS = 5

# what a row did wrong; anything else (a right not granted, a full disk, a lost connection) can be mended and retried
_ROW_AT_FAULT = (DataError, IntegrityError)


def open_engine(database_url: str) -> Engine:
    """Prepare an engine for `sqlite:///path` or `postgresql://...`; connects to nothing yet."""
    url = _url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    arguments = {"connect_timeout": CONNECT_SECONDS}
    return create_engine(url, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)


def _url(database_url: str) -> URL:
    try:
        url = make_url(database_url)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
            raise StoreMisconfigured(f"DATABASE_URL names {url.drivername}: write sqlite:///PATH or postgresql://...")
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise StoreMisconfigured("DATABASE_URL is no URL: write sqlite:///PATH or postgresql://...") from error
    return url


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing on its own: _begin_sqlite does
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write, on a database of the needed schema."""
    with faults_told(engine), engine.begin() as connection:
        verify(connection)
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, and hinders no writer."""
    with faults_told(engine), engine.connect().execution_options(reads=True) as connection, connection.begin():
        verify(connection)
        yield connection


def steady(engine: Engine) -> Engine:
    """Give the same database with transactions that see one state of it from begin to end."""
    if engine.dialect.name == "sqlite":
        return engine  # every transaction under WAL does
    return engine.execution_options(isolation_level="REPEATABLE READ")


@contextmanager
def counting(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads many rows of one state, and hinders no writer."""
    with reading(steady(engine)) as connection:
        plan_simply(connection)
        yield connection


def plan_simply(connection: Connection) -> None:
    """Leave out compiling what runs for milliseconds: it takes half a second by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL jit = off"))


@contextmanager
def faults_told(engine: Engine) -> Iterator[None]:
    """Turn what the driver raises into `StoreUnavailable`, or `SchemaMissing` where there is no file to open."""
    path = sqlite_path(engine)
    if path is not None and not path.exists():
        # opening it would leave an empty database behind
        raise SchemaMissing(f"{name(engine)} does not exist yet: run app.py db upgrade")
    try:
        yield
    except _ROW_AT_FAULT:
        raise
    except (DBAPIError, PoolTimeout) as error:
        raise unavailable(engine, error) from error


def unavailable(engine: Engine, error: DBAPIError | PoolTimeout) -> StoreUnavailable:
    """Say in one line which database does not work and what it answered."""
    answer = str(error.orig if isinstance(error, DBAPIError) else error).strip() or type(error).__name__
    return StoreUnavailable(f"{name(engine)} cannot be used: {answer.splitlines()[0].strip()}")


def name(engine: Engine) -> str:
    """Name the database for a sentence, without its password."""
    path = sqlite_path(engine)
    return f"the database {path or engine.url.render_as_string(hide_password=True)}"


def sqlite_path(engine: Engine) -> Path | None:
    """Give the file of an embedded database; None for a server, or for one in memory."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or not database or database == ":memory:":
        return None
    return Path(database)


def revision(connection: Connection) -> str | None:
    """Read the schema revision; None where there is no schema."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def verify(connection: Connection) -> None:
    """Raise a `SchemaMismatch` unless the schema is the one this program was written for."""
    found = revision(connection)
    if found != REVISION:
        raise mismatch(name(connection.engine), found)


def mismatch(database: str, found: str | None) -> SchemaMismatch:
    """Say which revision is there, which is needed, and what to do."""
    needed = f"this program needs {REVISION}"
    if found is None:
        return SchemaMissing(f"{database} has no schema, {needed}: run app.py db upgrade")
    # revisions are numbered upward, so an older program still knows that it is older
    if found > REVISION:
        return SchemaTooNew(f"{database} has schema {found}, {needed}: run the newer program that upgraded it")
    return SchemaTooOld(f"{database} has schema {found}, {needed}: run app.py db upgrade")
