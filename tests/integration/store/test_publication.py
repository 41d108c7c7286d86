"""A month is printed once, from the rows; no later decision and no later request gives a difference to look at."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from test_figures import KEYS, LATER, City

from store.ballot_box import evaluation_row, put
from store.contact import NewContact
from store.database import reading, writing
from store.ledger import head, keep
from store.publication import publish, published
from store.register import register
from store.schema import Decision, LedgerEntry

Opened = Callable[[str], Engine]
SEPTEMBER = datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
SETTLED = datetime(2026, 10, 21, 0, 0, tzinfo=UTC)


@pytest.fixture
def city(database_url: str, opened: Opened) -> City:
    return City(opened(database_url), database_url, random.Random(7), now=SEPTEMBER)


def rated(city: City, department: str, grade: str, count: int) -> list[str]:
    """So many contacts of September, each rated so at a window."""
    rows = []
    for _ in range(count):
        made = register(
            city.engine, KEYS, NewContact(department=department), now=city.now, expires_at=city.now + timedelta(days=1)
        )
        row = evaluation_row(
            id=city.id(),
            contact=made.id,
            grade=grade,
            round=1,
            match="token",
            channel="window",
            answered_at=city.now,
            recorded_at=city.now,
            department=department,
        )
        rows.append(row)
    with writing(city.engine) as connection:
        put(connection, KEYS, rows, city.now)
    return [row["id"] for row in rows]


def test_a_month_is_printed_when_settled_and_stays_as_printed(city: City) -> None:
    for department in ("housing", "water"):
        rated(city, department, "satisfied", 20)
        bad = rated(city, department, "dissatisfied", 12)
    assert publish(city.engine, KEYS, SETTLED - timedelta(days=1), after_days=20) == []
    assert publish(city.engine, KEYS, SETTLED, after_days=20) == ["2026-09"]
    (first,) = published(city.engine)
    assert first.table["all"]["counts"]["dissatisfied"] == 24
    assert first.table["departments"][1]["good_rate"]["of"] == 32
    # the attack: one evaluation is taken out of September, and September is asked for again
    row = {
        "id": city.id(), "evaluation": bad[0], "adopted": False, "reason": "malicious", "evidence": {}, "by": "a",
        "second": "b", "at": SETTLED,
    }  # fmt: skip
    with writing(city.engine) as connection:
        keep(connection, KEYS, Decision, [row], SETTLED)
    assert publish(city.engine, KEYS, SETTLED + timedelta(days=1), after_days=20) == []
    assert published(city.engine) == [first]


def test_every_contact_of_the_month_is_in_exactly_one_place(city: City) -> None:
    city.now = datetime(2026, 8, 31, 17, 0, tzinfo=UTC)  # one in the morning of the first of September
    while city.now < datetime(2026, 9, 29, tzinfo=UTC):
        city.live(10)
    assert publish(city.engine, KEYS, LATER, after_days=20)[0] == "2026-09"
    table = published(city.engine)[0].table
    assert [line["department"] for line in table["departments"]] == ["", "housing", "water"]
    totals = [line["total"] for line in table["departments"]]
    if None not in totals and table["all"]["total"] is not None:
        assert sum(totals) == table["all"]["total"] <= len(city.contacts)


def test_a_printed_month_is_in_the_ledger(city: City) -> None:
    rated(city, "housing", "satisfied", 20)
    with reading(city.engine) as connection:
        before = head(connection).seq
    publish(city.engine, KEYS, SETTLED, after_days=20)
    with reading(city.engine) as connection:
        entries = select(LedgerEntry.table_name).where(LedgerEntry.seq > before)
        assert list(connection.scalars(entries)) == ["publication"]


def test_a_store_without_contacts_prints_nothing(city: City) -> None:
    assert publish(city.engine, KEYS, LATER, after_days=0) == []
