"""`/api/v1/contacts`: what a hotline's system relies on."""

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from ivr.handover.token import read
from store.call import GivenAnswer, Match, SettledCall
from store.credential import Channel, Scope, every, revoke
from store.database import writing
from store.errors import NotFound
from store.record import Recorder

if TYPE_CHECKING:
    from conftest import Site

CONTACTS = "/api/v1/contacts"
# for tests whose subject is the request, not the database
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def rate(site: "Site", contact: str, grade: str | None = "very_dissatisfied") -> None:
    """Let a call with the contact's token end."""
    at = site.clock()
    answers = (GivenAnswer("grade", grade, "5", at, {}),) if grade else ()
    call = SettledCall(
        id=str(uuid4()),
        call_id="1@pbx",
        node="node-1",
        flow="f",
        flow_version="1",
        language="zh-CN",
        started_at=at,
        answered_at=at,
        ended_at=at + timedelta(seconds=9),
        ended_by="service",
        outcome="rated" if grade else "silent",
        attempts=1,
        match=Match.TOKEN,
        contact=contact,
        caller=None,
        trunk=None,
        answers=answers,
    )
    with closing(Recorder(site.database_url, "follow_up", site.keys, clock=site.clock)) as recorder:
        recorder.record([call])


def test_a_contact_is_answered_with_a_token_for_it_and_where_to_send_the_caller(site: "Site") -> None:
    answer = site.client.post(CONTACTS, json={"work_order": "W1", "language": "en"}, headers=site.key())
    assert answer.status_code == 201
    body = answer.get_json()
    assert set(body) == {"id", "token", "transfer_uri", "evaluate_url", "expires_at", "number"}
    assert body["transfer_uri"] == f"sip:{body['token']}@survey.example:5060"
    assert body["evaluate_url"] == f"https://pj.example/e/{body['token']}"
    assert body["expires_at"] == "2026-11-23T06:00:00Z"
    assert answer.headers["Location"] == f"{CONTACTS}/{body['id']}"
    reading = read(body["token"], site.keys, site.clock())
    assert (reading.match, reading.contact, reading.language) == (Match.TOKEN, body["id"], "en")


def test_a_consultation_without_anything_gets_a_number_of_its_own(site: "Site") -> None:
    headers = site.key()
    body = site.client.post(CONTACTS, json={}, headers=headers).get_json()
    found = site.client.get(f"{CONTACTS}/{body['id']}", headers=headers).get_json()
    assert found["kind"] == "consultation"
    assert found["number"] == body["number"]
    assert body["number"].startswith("PJ20261122-")


@on_sqlite
def test_empty_fields_of_a_cti_are_absent_fields(site: "Site") -> None:
    headers = site.key()
    body = {"work_order": "", "caller": " ", "language": "", "kind": "", "operator": " 张三 "}
    made = site.client.post(CONTACTS, json=body, headers=headers)
    found = site.client.get(made.headers["Location"], headers=headers).get_json()
    assert (found["work_order"], found["caller"], found["operator"]) == (None, None, "张三")


@on_sqlite
@pytest.mark.parametrize(
    ("language", "detail", "tag"),
    [
        (None, "没有这个字段。", "zh-CN"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "没有这个字段。", "zh-CN"),
        ("en-GB,en;q=0.9", "There is no such field.", "en"),
        ("fr", "没有这个字段。", "zh-CN"),
    ],
)
def test_an_unknown_field_is_named_in_the_callers_language(
    site: "Site", language: str | None, detail: str, tag: str
) -> None:
    headers = site.key() | ({"Accept-Language": language} if language else {})
    answer = site.client.post(CONTACTS, json={"workorder": "W1"}, headers=headers)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Content-Language"] == tag
    body = answer.get_json()
    assert body["errors"] == [{"pointer": "#/workorder", "detail": detail}]
    assert (body["type"], body["status"]) == ("about:blank", 422)
    assert "workorder" in body["detail"]


@on_sqlite
@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"caller": "call me"}, ["#/caller"]),
        ({"kind": "complaint"}, ["#/kind"]),
        ({"kind": "work_order"}, ["#"]),
        ({"language": "fr"}, ["#/language"]),
        ({"served_at": "2026-11-22T14:00:00"}, ["#/served_at"]),
        ({"served_at": "yesterday"}, ["#/served_at"]),
        ({"matter": 5, "item": "x" * 201, "operator": "a\nb"}, ["#/matter", "#/item", "#/operator"]),
        ({"a/b~c": 1}, ["#/a~1b~0c"]),
        ([], ["#"]),
    ],
)
def test_every_field_that_cannot_be_taken_is_pointed_at(site: "Site", body: Any, pointers: list[str]) -> None:
    answer = site.client.post(CONTACTS, json=body, headers=site.key())
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == pointers
    assert all(error["detail"] for error in answer.get_json()["errors"])


@on_sqlite
def test_a_number_that_cannot_be_taken_is_not_repeated(site: "Site") -> None:
    answer = site.client.post(CONTACTS, json={"caller": "13812345678x"}, headers=site.key())
    assert answer.status_code == 422
    assert "13812345678" not in answer.get_data(as_text=True)


@on_sqlite
@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("", "application/json", 400),
        ("{}", "text/plain", 415),
        ('{"matter": "' + "x" * 70_000 + '"}', "application/json", 413),
    ],
)
def test_a_body_that_is_no_json_is_a_problem(site: "Site", data: str, content_type: str, status: int) -> None:
    answer = site.client.post(CONTACTS, data=data, content_type=content_type, headers=site.key())
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_the_callers_number_is_sealed_in_the_store_and_masked_outside(site: "Site") -> None:
    headers = site.key()
    made = site.client.post(CONTACTS, json={"caller": "+8613812345678"}, headers=headers)
    shown = site.client.get(made.headers["Location"], headers=headers)
    assert shown.get_json()["caller"] == "861******5678"
    assert "13812345678" not in made.get_data(as_text=True) + shown.get_data(as_text=True)


def test_one_idempotency_key_is_one_contact(site: "Site") -> None:
    headers = site.key() | {"Idempotency-Key": "4711"}
    first = site.client.post(CONTACTS, json={"work_order": "W1"}, headers=headers)
    site.clock.now += timedelta(hours=1)
    again = site.client.post(CONTACTS, json={"work_order": "W1"}, headers=headers)
    assert (again.status_code, again.get_json()) == (201, first.get_json())


def test_an_idempotency_key_used_for_something_else_is_refused(site: "Site") -> None:
    headers = site.key() | {"Idempotency-Key": "4711"}
    site.client.post(CONTACTS, json={"work_order": "W1"}, headers=headers)
    other = site.client.post(CONTACTS, json={"work_order": "W2"}, headers=headers)
    assert other.status_code == 422
    assert "Idempotency-Key" in other.get_json()["detail"]


def test_two_systems_may_use_the_same_idempotency_key(site: "Site") -> None:
    answers = [
        site.client.post(CONTACTS, json={}, headers=site.key() | {"Idempotency-Key": "1"}).get_json() for _ in range(2)
    ]
    assert answers[0]["id"] != answers[1]["id"]


@on_sqlite
@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_without_use_is_refused(site: "Site", key: str) -> None:
    answer = site.client.post(CONTACTS, json={}, headers=site.key() | {"Idempotency-Key": key})
    assert answer.status_code == 400


def test_a_contacts_outcome_follows_its_calls_and_its_time(site: "Site") -> None:
    headers = site.key()
    place = site.client.post(CONTACTS, json={}, headers=headers).headers["Location"]

    def outcome() -> Any:
        return site.client.get(place, headers=headers).get_json()["outcome"]

    assert outcome() is None
    site.clock.now += timedelta(hours=24)
    assert outcome() == "not_offered"
    rate(site, place.rpartition("/")[2], None)
    assert outcome() == "silent"
    rate(site, place.rpartition("/")[2])
    assert outcome() == "rated"


def test_the_grade_is_only_for_keys_that_may_read_grades(site: "Site") -> None:
    cti = site.key()
    place = site.client.post(CONTACTS, json={}, headers=cti).headers["Location"]
    rate(site, place.rpartition("/")[2])
    for_operators = site.client.get(place, headers=cti)
    assert for_operators.get_json()["outcome"] == "rated"
    assert "dissatisfied" not in for_operators.get_data(as_text=True)
    (evaluation,) = for_operators.get_json()["evaluations"]
    assert (evaluation["grade"], evaluation["stars"], evaluation["round"]) == (None, None, 1)
    reader = site.key(Scope.CONTACTS_READ, Scope.EVALUATIONS_READ)
    (evaluation,) = site.client.get(place, headers=reader).get_json()["evaluations"]
    assert (evaluation["grade"], evaluation["stars"]) == ("very_dissatisfied", 1)
    (call,) = site.client.get(place, headers=reader).get_json()["calls"]
    assert (call["outcome"], call["ended_by"]) == ("rated", "service")


@on_sqlite
@pytest.mark.parametrize("place", [f"{CONTACTS}/{uuid4()}", f"{CONTACTS}/nonsense", "/api/v1/nothing"])
def test_what_is_not_there_is_a_problem(site: "Site", place: str) -> None:
    answer = site.client.get(place, headers=site.key())
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic cGo6cGo="},
        {"X-API-Key": "pj_0000000000_" + "x" * 43},
        {"X-API-Key": "pj_é_x"},
    ],
)
def test_without_a_good_key_nothing_is_said_but_how_to_send_one(site: "Site", headers: dict[str, str]) -> None:
    answer = site.client.post(CONTACTS, json={"nonsense": 1}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "nonsense" not in answer.get_data(as_text=True)


@on_sqlite
def test_a_key_with_one_changed_character_is_no_key(site: "Site") -> None:
    key = site.key()["Authorization"]
    changed = key[:-1] + ("x" if key[-1] != "x" else "y")
    assert site.client.post(CONTACTS, json={}, headers={"Authorization": changed}).status_code == 401
    assert site.client.post(CONTACTS, json={}, headers={"X-API-Key": key.partition(" ")[2]}).status_code == 201


def test_a_revoked_key_ends_at_once(site: "Site") -> None:
    headers = site.key()
    assert site.client.post(CONTACTS, json={}, headers=headers).status_code == 201
    with pytest.raises(NotFound):
        revoke(site.engine, "somebody else", site.clock())
    revoke(site.engine, every(site.engine, site.clock())[-1].name, site.clock())
    assert site.client.post(CONTACTS, json={}, headers=headers).status_code == 401


@on_sqlite
@pytest.mark.parametrize(
    ("method", "place", "scope"),
    [
        ("POST", CONTACTS, Scope.CONTACTS_WRITE),
        ("GET", f"{CONTACTS}/{uuid4()}", Scope.CONTACTS_READ),
        ("GET", "/api/v1/evaluations", Scope.EVALUATIONS_READ),
        ("GET", "/api/v1/calls", Scope.CALLS_READ),
    ],
)
def test_each_view_needs_its_own_scope_and_no_other_opens_it(
    site: "Site", method: str, place: str, scope: Scope
) -> None:
    others = site.key(*(each for each in Scope if each is not scope))
    assert site.client.open(place, method=method, json={}, headers=others).status_code == 403
    assert site.client.open(place, method=method, json={}, headers=site.key(scope)).status_code in (200, 201, 404)


@on_sqlite
def test_only_a_cti_may_register_contacts_by_default(site: "Site") -> None:
    for channel in Channel:
        answer = site.client.post(CONTACTS, json={}, headers=site.key(channel=channel))
        assert answer.status_code == (201 if channel is Channel.CTI else 403)


def test_an_old_schema_is_a_problem_to_retry_not_a_trace(site: "Site") -> None:
    headers = site.key()
    with writing(site.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = site.client.post(CONTACTS, json={}, headers=headers)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]
