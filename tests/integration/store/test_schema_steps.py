"""The schema goes up and down with its rows, and a program of before says that it is too old for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, text

from store.audit import verify
from store.credential import Channel, Scope, add, check
from store.database import reading, revision, writing
from store.errors import SchemaTooNew, SchemaTooOld
from store.query import Page, evaluations
from store.schema import REVISION
from store.secret import derive
from store.upgrade import _config, _migrating, downgrade, upgrade

KEYS = derive(b"\x01" * 32)
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
Opened = Callable[[str], Engine]


def first_schema(engine: Engine, database_url: str) -> str:
    """Make a database of 0001 with a call, two evaluations (one not adopted), and a key; give the key."""
    upgrade(engine)
    key = add(engine, KEYS, "web", channel=Channel.WEB, scopes=frozenset({Scope.CONTACTS_READ}), now=NOW)
    downgrade(engine, "0001")
    names = [str(uuid4()) for _ in range(3)]
    with engine.begin() as connection:
        ids = names if engine.dialect.name == "postgresql" else [name.replace("-", "") for name in names]
        moment = "'2026-11-22 06:00:00'"
        connection.execute(
            text(
                "INSERT INTO contact (id, number, kind, department, operator, registered_at, expires_at)"
                f" VALUES ('{ids[0]}', 'PJ1', 'consultation', 'D1', 'O1', {moment}, {moment})"
            )
        )
        connection.execute(
            text(
                'INSERT INTO "call" (id, call_id, node, flow, flow_version, language, started_at, answered_at,'
                " ended_at, ended_by, outcome, attempts, match, contact, recorded_at)"
                f" VALUES ('{ids[1]}', 'c@p', 'n', 'f', '1', 'en', {moment}, {moment}, {moment},"
                f" 'service', 'rated', 1, 'token', '{ids[0]}', {moment})"
            )
        )
        connection.execute(
            text(
                "INSERT INTO answer (call, question, answer, key, at, evidence)"
                f""" VALUES ('{ids[1]}', 'grade', 'satisfied', '2', {moment}, '{{"way": "info"}}')"""
            )
        )
        for place, adopted in ((1, "true"), (2, "false")):
            call = f"'{ids[1]}'" if place == 1 else "NULL"
            connection.execute(
                text(
                    "INSERT INTO evaluation (id, contact, channel, grade, round, deemed, adopted, match, answered_at,"
                    f" recorded_at, call, evidence) VALUES ('{ids[place]}', '{ids[0]}', 'ivr', 'satisfied', {place},"
                    f" false, {adopted}, 'token', {moment}, {moment}, {call}, '{{}}')"
                )
            )
    return key


def test_rows_of_the_first_schema_come_up_whole_and_are_entered_into_the_ledger(
    empty_database: str, opened: Opened
) -> None:
    engine = opened(empty_database)
    key = first_schema(engine, empty_database)
    assert upgrade(engine, KEYS, NOW) == ("0001", REVISION)
    found = list(evaluations(engine, Page()))
    assert sorted((row.round, row.adopted) for row in found) == [(1, True), (2, False)]
    owner = check(engine, KEYS, key, NOW)
    assert owner is not None
    assert owner.name == "web"
    findings = list(verify(engine, KEYS))
    assert findings == []
    with reading(engine) as connection:
        codes = connection.execute(text("SELECT department, operator FROM evaluation")).all()
        entries = connection.scalar(text("SELECT count(*) FROM ledger"))
    assert {tuple(row) for row in codes} == {("D1", "O1")}
    assert entries == 5  # a contact, a call with its answer, two evaluations, the decision on one


def test_going_down_and_up_again_loses_nothing_the_first_schema_could_hold(empty_database: str, opened: Opened) -> None:
    engine = opened(empty_database)
    key = first_schema(engine, empty_database)
    upgrade(engine, KEYS, NOW)
    before = list(evaluations(engine, Page()))
    assert downgrade(engine, "0001") == (REVISION, "0001")
    with engine.connect() as connection:
        assert revision(connection) == "0001"
        assert connection.scalar(text("SELECT count(*) FROM evaluation WHERE NOT adopted")) == 1
    upgrade(engine, KEYS, NOW)
    assert list(evaluations(engine, Page())) == before
    assert check(engine, KEYS, key, NOW) is not None
    assert list(verify(engine, KEYS)) == []


@pytest.mark.parametrize("older", ["0001", "0002"])
def test_this_program_waits_for_the_upgrade_of_an_older_schema(empty_database: str, opened: Opened, older: str) -> None:
    engine = opened(empty_database)
    if engine.dialect.name == "sqlite":
        Path(engine.url.database or "").touch()
    with _migrating(engine) as connection:
        command.upgrade(_config(connection), older)
    for entry in (reading, writing):
        with pytest.raises(SchemaTooOld, match=f"schema {older}, this program needs {REVISION}"), entry(engine):
            pass
    assert upgrade(engine, KEYS, NOW) == (older, REVISION)


def test_the_program_of_before_stops_at_a_schema_it_does_not_know(
    database_url: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.REVISION", "0001")
    for entry in (reading, writing):
        with pytest.raises(SchemaTooNew, match="run the newer program"), entry(opened(database_url)):
            pass
