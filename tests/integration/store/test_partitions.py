"""On PostgreSQL each civil month of evaluations is a partition, ready before it begins; no row ever waits for one."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from test_figures import KEYS, City

from store.ballot_box import evaluation_row, put
from store.database import reading, writing
from store.partitions import ensure
from store.query import Page, evaluations
from store.upgrade import downgrade, upgrade

Opened = Callable[[str], Engine]
LAST_OF_OCTOBER = datetime(2026, 10, 31, 15, 59, 59, 999999, tzinfo=UTC)  # a moment before midnight in Siping
FIRST_OF_NOVEMBER = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)


def put_one(city: City, at: datetime, round_: int = 1, contact: str | None = None) -> str:
    row = evaluation_row(
        id=city.id(), contact=contact, grade="satisfied", round=round_, match="none", channel="window",
        answered_at=at, recorded_at=at,
    )  # fmt: skip
    with writing(city.engine) as connection:
        put(connection, KEYS, [row], at)
    return str(row["id"])


def places(engine: Engine) -> dict[str, str]:
    """Which partition each evaluation lies in."""
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT CAST(id AS text), CAST(tableoid::regclass AS text) FROM evaluation"))
        return {row[0]: row[1] for row in rows}


@pytest.fixture
def city(postgres_url: str, opened: Opened) -> City:
    return City(opened(postgres_url), postgres_url, random.Random(5))


def test_this_month_and_the_next_three_are_made_once(city: City) -> None:
    made = ensure(city.engine, LAST_OF_OCTOBER)
    assert made == [f"months.evaluation_{month}" for month in ("2026_10", "2026_11", "2026_12", "2027_01")]
    assert ensure(city.engine, LAST_OF_OCTOBER) == []
    assert ensure(city.engine, FIRST_OF_NOVEMBER) == ["months.evaluation_2027_02"]


def test_a_row_lies_in_its_civil_month(city: City) -> None:
    ensure(city.engine, LAST_OF_OCTOBER)
    before, after = put_one(city, LAST_OF_OCTOBER), put_one(city, FIRST_OF_NOVEMBER)
    assert places(city.engine) == {before: "months.evaluation_2026_10", after: "months.evaluation_2026_11"}


def test_a_row_of_a_month_without_a_partition_is_taken_and_moved_later(city: City) -> None:
    early, now = put_one(city, datetime(2026, 3, 1, tzinfo=UTC)), put_one(city, LAST_OF_OCTOBER)
    assert set(places(city.engine).values()) == {"months.evaluation_other"}
    assert "months.evaluation_2026_03" in ensure(city.engine, LAST_OF_OCTOBER)
    assert places(city.engine) == {early: "months.evaluation_2026_03", now: "months.evaluation_2026_10"}
    assert len(list(evaluations(city.engine, Page()))) == 2


def test_no_reader_misses_a_row_that_is_being_moved(city: City, opened: Opened) -> None:
    for month in range(1, 11):
        put_one(city, datetime(2026, month, 15, tzinfo=UTC))
    moved = Event()

    def read() -> set[int]:
        engine, counts = opened(city.engine.url.render_as_string(hide_password=False)), set()
        while not moved.is_set():
            with reading(engine) as connection:
                counts.add(connection.scalar(text("SELECT count(*) FROM evaluation")))
        return counts

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        ensure(city.engine, LAST_OF_OCTOBER)
        moved.set()
    assert [reader.result() for reader in readers] == [{10}] * 3


def test_one_ballot_a_round_holds_across_months(city: City) -> None:
    ensure(city.engine, LAST_OF_OCTOBER)
    city.register()
    (contact,) = city.contacts
    put_one(city, LAST_OF_OCTOBER, contact=contact)
    with pytest.raises(IntegrityError, match="uq_ballot_contact_round_deemed"):
        put_one(city, FIRST_OF_NOVEMBER, contact=contact)
    put_one(city, FIRST_OF_NOVEMBER, round_=2, contact=contact)


def test_sqlite_keeps_one_table(tmp_path: object, opened: Opened) -> None:
    engine = opened(f"sqlite:///{tmp_path}/pingjia.db")
    upgrade(engine)
    assert ensure(engine, LAST_OF_OCTOBER) == []


def test_down_to_one_table_and_up_again_keeps_every_row(database_url: str, opened: Opened) -> None:
    city = City(opened(database_url), database_url, random.Random(9))
    city.live(60)
    before = list(evaluations(city.engine, Page()))
    assert len(before) > 5
    downgrade(city.engine, "0003")
    upgrade(city.engine)
    assert list(evaluations(city.engine, Page())) == before
    if city.engine.dialect.name == "postgresql":
        assert {place[:22] for place in places(city.engine).values()} <= {"months.evaluation_2026"}
        assert "months.evaluation_other" not in places(city.engine).values()
