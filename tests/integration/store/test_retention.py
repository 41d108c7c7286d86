"""What is confidential goes when its time is over, for real, and the chain still verifies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from case_office import AT, KEYS, WAY, contact, office, rate
from settled_calls import settled_call
from sqlalchemy import Engine, select

from store import sealed_field
from store.audit import verify
from store.call import Match
from store.case_act import act
from store.case_query import Wanted, cases
from store.database import reading
from store.history import history
from store.jobs import clockwork, run
from store.low_index import Limits
from store.privacy import FieldCipher
from store.query import Page
from store.record import Recorder
from store.retention import Retention, forget
from store.reveal import Confidential, Look, reveal
from store.schema import Call, CaseEvent, Contact

NUMBER = "13812345678"
DAYS = timedelta(days=1)
KEPT = Retention(caller=30 * DAYS, comment=60 * DAYS, note=90 * DAYS)
CIPHER = FieldCipher(KEYS.fields)


@pytest.fixture
def engine(database_url: str, opened: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(sealed_field, "BATCH", 2)
    return opened(database_url)


def call_of(engine: Engine, at: datetime = AT, of: str | None = None) -> str:
    """A call of a number that is recorded."""
    call = settled_call("satisfied", match=Match.TOKEN if of else Match.NONE, contact=of, ended_at=at)
    sealed = CIPHER.seal(NUMBER, call.id.encode(), bytes(12))
    call = type(call)(**{name: getattr(call, name) for name in call.__slots__} | {"caller": sealed})
    recorder = Recorder(engine.url.render_as_string(hide_password=False), "follow_up", KEYS, clock=lambda: at)
    recorder.record([call])
    recorder.close()
    return call.id


def held(engine: Engine, table: type, field: str) -> list[bytes]:
    columns = table.__table__.c  # type: ignore[attr-defined]
    with reading(engine) as connection:
        return list(connection.scalars(select(columns[field]).where(columns[field].is_not(None))))


def test_numbers_go_after_their_days_and_younger_ones_stay(engine: Engine) -> None:
    old = [contact(engine, AT, caller=NUMBER) for _ in range(3)]
    call_of(engine)
    young = contact(engine, AT + 2 * DAYS, caller=NUMBER)
    assert sum(forget(engine, KEYS, KEPT, AT + 30 * DAYS)) == 0
    assert sum(forget(engine, KEYS, KEPT, AT + 31 * DAYS)) == 4
    with reading(engine) as connection:
        left = connection.execute(select(Contact.id, Contact.caller_index).where(Contact.caller.is_not(None))).all()
        assert connection.scalars(select(Contact.caller_index).where(Contact.id.in_(old))).all() == [None] * 3
    assert [row.id for row in left] == [young]
    assert left[0].caller_index
    assert held(engine, Call, "caller") == []
    assert list(verify(engine, KEYS)) == []
    assert sum(forget(engine, KEYS, KEPT, AT + 31 * DAYS)) == 0


def test_a_deletion_stands_in_the_rows_history_with_its_reason(engine: Engine) -> None:
    row = contact(engine, AT, caller=NUMBER)
    list(forget(engine, KEYS, KEPT, AT + 31 * DAYS))
    (step,) = (step for step in history(engine, "contact", row) if step.table == "sealed_change")
    assert (step.values["field"], step.values["reason"], step.values.get("hash")) == ("caller", "retention", None)


def test_nothing_goes_while_the_case_is_open(engine: Engine) -> None:
    of = contact(engine, AT, caller=NUMBER)
    rate(engine, of)
    (case,) = (row.id for row in cases(engine, Wanted(), Page(), AT))
    act(office(engine), case, WAY["verify"], AT)
    act(office(engine), case, WAY["explain"], AT)
    act(office(engine), case, WAY["call_back"], AT)
    late = AT + 400 * DAYS
    assert sum(forget(engine, KEYS, KEPT, late)) == 0
    assert reveal(engine, KEYS, Look(of, {Confidential.CALLER}, "回访", "wang"), AT).caller == NUMBER
    act(office(engine), case, WAY["close"], AT)
    assert sum(forget(engine, KEYS, KEPT, late)) == 3  # a number and two notes
    assert held(engine, CaseEvent, "note") == []
    assert reveal(engine, KEYS, Look(of, {Confidential.CALLER}, "回访", "wang"), AT).caller is None
    assert list(verify(engine, KEYS)) == []


def test_a_deletion_behind_the_stores_back_is_found(engine: Engine) -> None:
    row = contact(engine, AT, caller=NUMBER)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE contact SET caller = NULL")
    assert [(finding.kind, finding.row) for finding in verify(engine, KEYS)] == [("sealed", row)]


def test_for_ever_is_for_ever(engine: Engine) -> None:
    contact(engine, AT, caller=NUMBER)
    assert sum(forget(engine, KEYS, Retention.of_days(caller=0, comment=0, note=0), AT + 9999 * DAYS)) == 0


def test_the_jobs_delete_once_a_day(engine: Engine) -> None:
    contact(engine, AT, caller=NUMBER)
    jobs = clockwork(deeming=False, limits=Limits(60, 30), retention=KEPT)
    done = {each.job: each.rows for each in run(office(engine), jobs, "me", AT + 31 * DAYS, stopped=lambda: False)}
    assert done["forgotten"] == 1
    contact(engine, AT, caller=NUMBER)
    done = {each.job: each.rows for each in run(office(engine), jobs, "me", AT + 31 * DAYS, stopped=lambda: False)}
    assert done["forgotten"] == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_deleted_ciphertext_is_in_no_file_of_an_embedded_database(engine: Engine) -> None:
    path = Path(str(engine.url.database))
    for _ in range(5):
        contact(engine, AT, caller=NUMBER)
    call_of(engine)
    gone = [*held(engine, Contact, "caller"), *held(engine, Contact, "caller_index"), *held(engine, Call, "caller")]
    assert all(field in _bytes(path) for field in gone)
    list(forget(engine, KEYS, KEPT, AT + 31 * DAYS))
    assert not any(field in _bytes(path) for field in gone)


def _bytes(database: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(database.parent.glob(f"{database.name}*")))
