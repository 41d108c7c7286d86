"""Bringing the database's schema up to date, or back. Rule: one transaction; processes starting together take turns."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from store.database import faults_told, mismatch, name, revision, sqlite_path
from store.errors import SchemaTooNew, StoreUnavailable
from store.ledger_beginning import adopt
from store.schema import REVISION
from store.secret import Keys

_ADVISORY_LOCK = 0x70696E67  # "ping"
_LEDGER = "0002"  # the revision the ledger begins with


def upgrade(engine: Engine, keys: Keys | None = None, now: datetime | None = None) -> tuple[str | None, str]:
    """Upgrade to the needed revision, making an embedded database's file on the way; give (revision before, after).

    With keys, rows of a database from before the ledger are entered into it, in the same transaction.
    """
    _make_file(engine)
    with _migrating(engine) as connection:
        before = revision(connection)
        if before is not None and before > REVISION:
            raise _too_new(engine, before)
        command.upgrade(_config(connection), REVISION)
        if keys and now and before is not None and before < _LEDGER:
            adopt(connection, keys, now)
    return before, REVISION


def downgrade(engine: Engine, target: str) -> tuple[str | None, str]:
    """Go back to an older revision, for the program of before; what it cannot hold is lost."""
    with _migrating(engine) as connection:
        before = revision(connection)
        command.downgrade(_config(connection), target)
    return before, target


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """One transaction, alone; SQLite makes tables anew, with foreign keys off and checked at the end."""
    with faults_told(engine), _turn(engine), engine.connect() as connection:
        embedded = engine.dialect.name == "sqlite"
        if embedded:
            _foreign_keys(connection, on=False)
        try:
            with connection.begin():
                if not embedded:
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
                yield connection
                if embedded and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise StoreUnavailable(f"{name(engine)} would lose a reference by this migration: nothing was done")
        finally:
            if embedded:
                _foreign_keys(connection, on=True)


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Let one process at a time open a new embedded database: going over to WAL waits for no other connection.

    The lock is on the folder: closing another descriptor of the file itself would drop SQLite's own locks.
    """
    path = sqlite_path(engine)
    if path is None:
        yield
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch outside of any transaction, where alone it has effect (sqlite.org/lang_altertable.html)."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _make_file(engine: Engine) -> None:
    path = sqlite_path(engine)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"{name(engine)} cannot be made: {error.strerror}") from error


def _too_new(engine: Engine, before: str) -> SchemaTooNew:
    error = mismatch(name(engine), before)
    assert isinstance(error, SchemaTooNew)
    return error
