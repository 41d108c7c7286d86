"""Bringing the database's schema up to date. Rule: one transaction; processes that start together take turns."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from store.database import faults_told, mismatch, name, revision, sqlite_path
from store.errors import SchemaTooNew, StoreUnavailable
from store.schema import REVISION

_ADVISORY_LOCK = 0x70696E67  # "ping"


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Upgrade to the needed revision, making an embedded database's file on the way; give (revision before, after)."""
    _make_file(engine)
    with faults_told(engine), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        before = revision(connection)
        if before is not None and before > REVISION:
            raise _too_new(engine, before)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, REVISION)
    return before, REVISION


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
