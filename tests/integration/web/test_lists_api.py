"""The lists of the API, its description, and what the machine says of itself."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from test_contacts_api import CONTACTS, on_sqlite, rate

from store.credential import Scope
from store.database import writing

if TYPE_CHECKING:
    from conftest import Site


def test_evaluations_are_read_on_from_the_last_one_seen(site: "Site") -> None:
    contact = site.client.post(CONTACTS, json={}, headers=site.key()).get_json()["id"]
    for grade in ("satisfied", "dissatisfied", "very_satisfied"):
        rate(site, contact, grade)
        site.clock.now += timedelta(minutes=1)
    headers = site.key(Scope.EVALUATIONS_READ)
    seen: list[str] = []
    since = None
    while True:
        answer = site.client.get("/api/v1/evaluations", query_string={"limit": 2, "since": since}, headers=headers)
        page = answer.get_json()["evaluations"]
        new = [row["grade"] for row in page if row["recorded_at"] != since]
        if not new:
            break
        seen, since = seen + new, page[-1]["recorded_at"]
    assert seen == ["satisfied", "dissatisfied", "very_satisfied"]
    assert [row["round"] for row in page] == [3]


EVALUATION = "id contact channel grade stars round deemed adopted match answered_at recorded_at key call_id"
CALL = "call_id node flow flow_version started_at answered_at ended_at ended_by outcome attempts contact match"


def test_a_row_has_the_fields_of_the_public_interface(site: "Site") -> None:
    contact = site.client.post(CONTACTS, json={}, headers=site.key()).get_json()["id"]
    rate(site, contact)
    headers = site.key(*Scope)
    (evaluation,) = site.client.get("/api/v1/evaluations", headers=headers).get_json()["evaluations"]
    assert " ".join(evaluation) == EVALUATION
    (call,) = site.client.get("/api/v1/calls", headers=headers).get_json()["calls"]
    assert sorted(call) == sorted(CALL.split(" "))


@on_sqlite
@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "since=x", "sinc=2026-11-22"])
def test_a_wrong_page_is_a_problem(site: "Site", query: str) -> None:
    answer = site.client.get(f"/api/v1/calls?{query}", headers=site.key(Scope.CALLS_READ))
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "#/" + query.partition("=")[0]


@on_sqlite
def test_the_description_names_every_view_its_scheme_and_its_fields(site: "Site") -> None:
    described = site.client.get("/openapi.json").get_json()
    assert set(described["paths"]) >= {
        "/api/v1/contacts",
        "/api/v1/contacts/{wanted}",
        "/api/v1/contacts/{contact}/lease",
        "/api/v1/evaluations",
        "/api/v1/calls",
        "/api/v1/catalogue/{kind}",
    }
    assert set(described["components"]["securitySchemes"]) == {"bearer", "apiKey"}
    fields = described["components"]["schemas"]["ContactIn"]
    assert fields["additionalProperties"] is False
    assert "work_order" in fields["properties"]


@on_sqlite
def test_every_reference_in_the_description_leads_somewhere(site: "Site") -> None:
    described = site.client.get("/openapi.json").get_json()
    for reference in set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described))):
        assert reference in described["components"]["schemas"], reference


def test_a_process_that_answers_is_alive_and_one_with_its_store_is_ready(site: "Site") -> None:
    assert site.client.get("/healthz").get_json() == {"status": "alive"}
    answer = site.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"ready": True, "checks": {"database": "ok", "journal": "ok", "delivery": "ok"}}


def test_a_store_of_another_schema_is_not_ready_and_says_what_to_do(site: "Site") -> None:
    with writing(site.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = site.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["ready"] is False
    assert "run app.py db upgrade" in answer.get_json()["checks"]["database"]
    assert site.client.get("/healthz").status_code == 200


@on_sqlite
def test_figures_count_requests_by_route_and_never_by_path(site: "Site") -> None:
    made = site.client.post(CONTACTS, json={}, headers=site.key()).get_json()
    site.client.get(f"{CONTACTS}/{made['id']}", headers=site.key())
    site.client.get(f"/e/{made['token']}")
    figures = site.client.get("/metrics").get_data(as_text=True)
    assert 'route="/api/v1/contacts/<uuid:wanted>",status="200"' in figures
    assert made["id"] not in figures
    assert made["token"] not in figures


@on_sqlite
def test_answers_with_tokens_are_not_kept_by_proxies(site: "Site") -> None:
    answer = site.client.post(CONTACTS, json={}, headers=site.key())
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@on_sqlite
def test_no_number_is_in_clear_in_an_embedded_database_or_its_log(site: "Site") -> None:
    number = "13812345678"
    site.client.post(CONTACTS, json={"caller": number}, headers=site.key() | {"Idempotency-Key": "1"})
    files = list(Path(site.engine.url.database or "").parent.glob("pingjia.db*"))
    content = b"".join(file.read_bytes() for file in files)
    assert any(file.name.endswith("-wal") for file in files)
    assert b"contact" in content
    for spelling in (number, number[1:], f"+86{number}"):
        assert spelling.encode() not in content
