"""Figures over HTTP: for keys that may, and printed months for everybody."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from test_contacts_api import CONTACTS, on_sqlite, rate

from store.credential import Scope
from store.publication import publish

if TYPE_CHECKING:
    from conftest import Site

STATISTICS = "/api/v1/statistics"
PUBLIC = "/api/v1/public/statistics"


def test_a_key_with_the_scope_reads_figures_by_what_it_asks(site: "Site") -> None:
    for department, grade in (("housing", "satisfied"), ("housing", "very_dissatisfied"), ("water", "satisfied")):
        body = {"department": department}
        contact = site.client.post(CONTACTS, json=body, headers=site.key()).get_json()["id"]
        rate(site, contact, grade)
    headers = site.key(Scope.STATISTICS_READ)
    answer = site.client.get(f"{STATISTICS}?by=department,channel", headers=headers)
    assert answer.status_code == 200
    body = answer.get_json()
    assert [group["key"] for group in body["groups"]] == [
        {"department": "housing", "channel": "ivr"},
        {"department": "water", "channel": "ivr"},
    ]
    assert body["groups"][0]["figures"]["good"]["value"] == 0.5
    assert body["definitions"]["good"]["en"]
    assert answer.headers["Cache-Control"] == "no-store"
    only = site.client.get(f"{STATISTICS}?department=water", headers=headers).get_json()
    assert only["total"]["counts"]["given"] == 1
    assert only["total"]["counts"]["owed"] == 1


@on_sqlite
def test_without_the_scope_there_are_no_figures(site: "Site") -> None:
    assert site.client.get(STATISTICS).status_code == 401
    assert site.client.get(STATISTICS, headers=site.key(Scope.CALLS_READ)).status_code == 403


@on_sqlite
@pytest.mark.parametrize(
    "query",
    ["by=nobody", "by=day,month", "by=day,day", "since=x", "since=2026-11-22&until=2026-11-22", "sinc=2026-11-22"],
)
def test_a_question_nobody_can_answer_is_a_problem(site: "Site", query: str) -> None:
    answer = site.client.get(f"{STATISTICS}?{query}", headers=site.key(Scope.STATISTICS_READ))
    assert answer.status_code == 422
    assert answer.content_type.startswith("application/problem+json")


def print_september(site: "Site") -> None:
    """Twelve contacts of September, rated, and the month printed on the 25th of October."""
    site.clock.now = datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
    for _ in range(12):
        contact = site.client.post(CONTACTS, json={"department": "water"}, headers=site.key()).get_json()["id"]
        rate(site, contact, "satisfied")
    site.clock.now = datetime(2026, 10, 25, tzinfo=UTC)
    publish(site.engine, site.keys, site.clock.now, after_days=20)


def test_everybody_reads_printed_months_and_nothing_else(site: "Site") -> None:
    print_september(site)
    answer = site.client.get(PUBLIC)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    (month,) = answer.get_json()["months"]
    assert month["month"] == "2026-09"
    assert month["all"]["counts"]["satisfied"] == 12
    again = site.client.get(PUBLIC, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@on_sqlite
def test_nobody_chooses_what_the_public_figures_are_of(site: "Site") -> None:
    """Two filters that have all but one person in common would differ by that person."""
    for query in ("department=water", "since=2026-09-01", "by=day"):
        assert site.client.get(f"{PUBLIC}?{query}").status_code == 422


@on_sqlite
def test_the_public_answer_is_kept_for_five_minutes(site: "Site") -> None:
    site.clock.now = datetime(2026, 10, 24, 23, 56, tzinfo=UTC)
    assert site.client.get(PUBLIC).get_json()["months"] == []
    print_september(site)  # until midnight
    assert site.client.get(PUBLIC).get_json()["months"] == []
    site.clock.now += timedelta(minutes=1)
    assert len(site.client.get(PUBLIC).get_json()["months"]) == 1
