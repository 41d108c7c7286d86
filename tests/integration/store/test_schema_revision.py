"""Whoever opens the database learns first whether it is the one it needs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

import store.upgrade
from store.database import open_engine, reading, writing
from store.errors import SchemaMissing, SchemaTooNew, SchemaTooOld, StoreMisconfigured, StoreUnavailable
from store.schema import REVISION, Base
from store.upgrade import upgrade

Opened = Callable[[str], Engine]


def test_the_program_needs_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(store.upgrade.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_the_migrations_make_the_tables_the_program_describes(database_url: str, opened: Opened) -> None:
    with reading(opened(database_url)) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(empty_database: str, opened: Opened) -> None:
    engine = opened(empty_database)
    assert upgrade(engine) == (None, REVISION)
    assert upgrade(engine) == (REVISION, REVISION)


def test_processes_upgrading_at_once_take_turns(empty_database: str, opened: Opened) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: upgrade(opened(empty_database)), range(4)))
    assert sorted(found, key=str) == [(REVISION, REVISION)] * 3 + [(None, REVISION)]


def test_a_database_without_a_schema_is_refused_and_left_as_it_was(
    empty_database: str, tmp_path: Path, opened: Opened
) -> None:
    engine = opened(empty_database)
    for entry in (reading, writing):
        with pytest.raises(SchemaMissing, match=r"run app\.py db upgrade"), entry(engine):
            pass
    assert not (tmp_path / "pingjia.db").exists()


@pytest.mark.parametrize(
    ("found", "error", "remedy"),
    [("0000", SchemaTooOld, r"run app\.py db upgrade"), ("9999", SchemaTooNew, "run the newer program")],
)
def test_another_schema_is_refused_with_both_revisions_named(
    database_url: str, found: str, error: type[Exception], remedy: str, opened: Opened
) -> None:
    engine = opened(database_url)
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{found}'"))
    for entry in (reading, writing):
        with pytest.raises(error, match=rf"schema {found}, this program needs {REVISION}: {remedy}"), entry(engine):
            pass


def test_a_newer_schema_is_never_upgraded_down(database_url: str, opened: Opened) -> None:
    engine = opened(database_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew):
        upgrade(engine)


def test_an_older_embedded_file_without_any_table_is_refused(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "pingjia.db").touch()
    with pytest.raises(SchemaMissing), reading(opened(f"sqlite:///{tmp_path / 'pingjia.db'}")):
        pass


@pytest.mark.parametrize(
    "url", ["", "not a url", "mysql://localhost/x", "sqlite+aiosqlite:///x", "postgresql+asyncpg://localhost/x"]
)
def test_a_url_nobody_can_use_is_one_sentence(url: str) -> None:
    with pytest.raises(StoreMisconfigured, match="DATABASE_URL"):
        open_engine(url)


def test_a_server_that_is_down_is_one_line_without_the_password(opened: Opened) -> None:
    engine = opened("postgresql://pingjia:s3cret@127.0.0.1:1/pingjia")
    with pytest.raises(StoreUnavailable) as caught, writing(engine):
        pass
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "127.0.0.1:1/pingjia cannot be used: " in str(caught.value)


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "pingjia.db").write_bytes(b"not a database, but long enough to be looked at" * 50)
    engine = opened(f"sqlite:///{tmp_path / 'pingjia.db'}")
    with pytest.raises(StoreUnavailable, match="file is not a database"), writing(engine):
        pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(StoreUnavailable, match=r"pingjia\.db cannot be made: "):
        upgrade(opened(f"sqlite:///{tmp_path / 'var' / 'pingjia.db'}"))


def test_the_embedded_database_writes_ahead_and_syncs_every_commit(tmp_path: Path, opened: Opened) -> None:
    engine = opened(f"sqlite:///{tmp_path / 'new' / 'pingjia.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    assert (tmp_path / "new" / "pingjia.db").stat().st_mode & 0o077 == 0
