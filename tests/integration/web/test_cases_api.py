"""`/api/v1/cases`: each key acts as its role, every refusal says why, in the reader's language."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_contacts_api import rate

from store.attachment import Shelf
from store.audit import verify
from store.case_act import Office
from store.contact import NewContact
from store.credential import Scope
from store.jobs import clockwork, run
from store.low_index import Limits
from store.query import Page, evaluations
from store.register import register
from web.service import NAME

if TYPE_CHECKING:
    from conftest import Site
    from werkzeug.test import TestResponse

TEAM = (Scope.CASES_READ, Scope.CASES_CASE_TEAM)
DEPARTMENT = (Scope.CASES_READ, Scope.CASES_DEPARTMENT)
REVIEWER = (Scope.CASES_READ, Scope.CASES_REVIEWER)
PDF = base64.b64encode(b"%PDF-1.7 proof").decode()
CASES = "/api/v1/cases"


@pytest.fixture
def desk(site: "Site", tmp_path: Path) -> "Site":
    here = site.app.extensions[NAME]
    site.app.extensions[NAME] = replace(here, shelf=Shelf(tmp_path / "attachments", 2**20))
    return site


@pytest.fixture
def case(desk: "Site") -> str:
    """The case of a bad call."""
    now = desk.clock()
    new = NewContact(department="住建局", caller="13812345678")
    of = register(desk.engine, desk.keys, new, now=now, expires_at=now + timedelta(days=1)).id
    rate(desk, of, "very_dissatisfied")
    answer = desk.client.get(CASES, headers=desk.key(Scope.CASES_READ))
    (row,) = answer.get_json()["cases"]
    return str(row["id"])


@pytest.fixture
def do(desk: "Site", case: str) -> Callable[..., "TestResponse"]:
    """Acts on the case with a key of some scopes."""
    keys: dict[tuple[Scope, ...], dict[str, str]] = {}

    def one(scopes: tuple[Scope, ...], act: str, actor: str, language: str = "en", **more: Any) -> "TestResponse":
        headers = keys.setdefault(scopes, desk.key(*scopes)) | {"Accept-Language": language}
        return desk.client.post(f"{CASES}/{case}/events", json={"act": act, "actor": actor} | more, headers=headers)

    return one


def problem(answer: "TestResponse", status: int, pointer: str | None = None) -> str:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.get_data(True)
    body = answer.get_json()
    if pointer:
        assert [error["pointer"] for error in body["errors"]] == [f"#/{pointer}"]
    return str(body["detail"])


def test_a_case_goes_its_way_by_keys_of_three_roles(desk: "Site", case: str, do: Callable[..., "TestResponse"]) -> None:
    for scopes, act, state in (
        (TEAM, "verify", "verifying"),
        (TEAM, "call_back", "verifying"),
        (TEAM, "rectify", "rectifying"),
        (DEPARTMENT, "rectified", "rectified"),
        (TEAM, "call_back", "called_back"),
        (REVIEWER, "close", "closed"),
    ):
        answer = do(scopes, act, "王", note=f"note of {act}")
        assert (answer.status_code, answer.get_json()["state"]) == (201, state), answer.get_json()
    body = desk.client.get(f"{CASES}/{case}", headers=desk.key(*TEAM)).get_json()
    assert [event["note"] for event in body["events"]][1:4] == [
        "note of verify",
        "note of call_back",
        "note of rectify",
    ]
    assert body["follow_ups"][0]["round"] == 2
    assert "13812345678" not in str(body)
    found = desk.client.get(f"{CASES}/{case}", headers=desk.key(*DEPARTMENT)).get_json()
    assert [event["note"] for event in found["events"]][1:5] == [None, None, "note of rectify", "note of rectified"]
    assert list(verify(desk.engine, desk.keys)) == []


def test_a_list_is_filtered_by_state_department_and_what_is_due(desk: "Site", case: str) -> None:
    headers = desk.key(Scope.CASES_READ)

    def ids(**query: str) -> list[str]:
        answer = desk.client.get(CASES, query_string=query, headers=headers)
        assert answer.status_code == 200, answer.get_json()
        return [row["id"] for row in answer.get_json()["cases"]]

    soon, later = (desk.clock() + timedelta(hours=hours) for hours in (47, 49))
    assert ids() == ids(state="received") == ids(department="住建局") == ids(due=later.isoformat()) == [case]
    assert ids(state="closed") == ids(department="税务局") == ids(due=soon.isoformat()) == []
    assert ids(since=later.isoformat()) == []
    assert problem(desk.client.get(CASES, query_string={"state": "lost"}, headers=headers), 422)


def test_a_key_does_only_what_its_role_may(desk: "Site", case: str, do: Callable[..., "TestResponse"]) -> None:
    problem(do(DEPARTMENT, "verify", "孙"), 403)
    problem(do((Scope.CASES_READ,), "verify", "孙"), 403)
    problem(do((Scope.CASES_CASE_TEAM,), "verify", "王"), 403)
    problem(do(DEPARTMENT, "verify", "孙", role="case_team"), 403)
    several = (*TEAM, Scope.CASES_REVIEWER)
    problem(do(several, "verify", "王"), 422, "role")
    assert do(several, "verify", "王", role="case_team").status_code == 201
    assert desk.client.get(CASES).status_code == 401
    assert desk.client.get(CASES, headers=desk.key(Scope.EVALUATIONS_READ)).status_code == 403


def attached(desk: "Site", case: str, content: str = PDF, **more: Any) -> "TestResponse":
    body = {"name": "证据.pdf", "by": "王", "content": content} | more
    return desk.client.post(f"{CASES}/{case}/attachments", json=body, headers=desk.key(*TEAM))


def test_not_adopted_takes_evidence_and_a_second_key_of_a_second_person(
    desk: "Site", case: str, do: Callable[..., "TestResponse"]
) -> None:
    do(TEAM, "verify", "王")
    proposal: dict[str, Any] = {"note": "按错键", "reason": "misjudged"}
    assert "Attach" in problem(do(TEAM, "propose_not_adopted", "王", **proposal), 422, "evidence")
    kept = attached(desk, case)
    assert (kept.status_code, kept.get_json()["media_type"]) == (201, "application/pdf")
    proposal["evidence"] = kept.get_json()["id"]
    problem(do(TEAM, "propose_not_adopted", "王", **proposal | {"reason": None}), 422, "reason")
    problem(do(TEAM, "propose_not_adopted", "王", **proposal | {"note": " "}), 422, "note")
    assert do(TEAM, "propose_not_adopted", "王", **proposal).get_json()["state"] == "proposed"
    problem(do(TEAM, "confirm_not_adopted", "赵"), 403)
    problem(do(REVIEWER, "confirm_not_adopted", "王"), 422, "actor")
    answer = do(REVIEWER, "confirm_not_adopted", "赵").get_json()
    assert (answer["state"], answer["adopted"]) == ("not_adopted", False)
    assert [row.adopted for row in evaluations(desk.engine, Page())] == [False]


def test_evidence_is_given_back_to_case_team_and_reviewer_alone(desk: "Site", case: str) -> None:
    kept = attached(desk, case).get_json()["id"]
    path = f"{CASES}/{case}/attachments/{kept}"
    answer = desk.client.get(path, headers=desk.key(*REVIEWER))
    assert (answer.data, answer.content_type) == (b"%PDF-1.7 proof", "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    problem(desk.client.get(path, headers=desk.key(*DEPARTMENT)), 403)
    problem(desk.client.get(f"{CASES}/{case}/attachments/{case}", headers=desk.key(*TEAM)), 404)


def test_a_file_that_is_no_evidence_is_a_problem_of_its_field(desk: "Site", case: str) -> None:
    html = base64.b64encode(b"<html>").decode()
    problem(attached(desk, case, html), 422, "content")
    problem(attached(desk, case, "%%%"), 422, "content")
    problem(attached(desk, case, ""), 422, "content")
    most = base64.b64encode(b"%PDF-" + bytes(2**20 - 5)).decode()
    assert attached(desk, case, most).status_code == 201
    problem(attached(desk, case, base64.b64encode(b"%PDF-" + bytes(2**20)).decode()), 422, "content")
    problem(attached(desk, case, "A" * 2**21), 413)


def test_an_objection_by_the_department_and_its_decision(
    desk: "Site", case: str, do: Callable[..., "TestResponse"]
) -> None:
    problem(do(DEPARTMENT, "object", "孙"), 422, "note")
    assert do(DEPARTMENT, "object", "孙", note="不属实").get_json()["objection"] == "filed"
    assert "already" in problem(do(DEPARTMENT, "object", "孙", note="再次"), 409)
    assert do(REVIEWER, "reject_objection", "赵", note="属实").get_json()["objection"] == "rejected"
    desk.clock.now += timedelta(days=5)
    problem(do(REVIEWER, "uphold_objection", "赵", note="x", reason="misjudged"), 409)


def test_a_late_objection_says_that_its_time_is_over(
    desk: "Site", case: str, do: Callable[..., "TestResponse"]
) -> None:
    desk.clock.now += timedelta(days=5)
    assert problem(do(DEPARTMENT, "object", "孙", "zh-CN", note="不属实"), 409) == "异议申诉期限已过。"


def test_somebody_who_saw_an_older_case_is_told_to_look_again(
    desk: "Site", case: str, do: Callable[..., "TestResponse"]
) -> None:
    assert do(TEAM, "verify", "王", seq=1).status_code == 201
    assert "刷新" in problem(do(TEAM, "note", "李", "zh-CN", note="x", seq=1), 409, "seq")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"act": "open"}, "act"),
        ({"act": "ask_again"}, "act"),
        ({"actor": ""}, "actor"),
        ({"actor": "a\u202eb"}, "actor"),
        ({"note": "x" * 4001}, "note"),
        ({"evidence": "file.pdf"}, "evidence"),
        ({"role": "system"}, "role"),
        ({"second": "赵"}, "second"),
        ({"seq": 0}, "seq"),
        ({"reason": "bored"}, "reason"),
    ],
)
def test_a_bad_field_is_named(desk: "Site", case: str, changes: dict[str, Any], pointer: str) -> None:
    body = {"act": "note", "actor": "王", "note": "x"} | changes
    answer = desk.client.post(f"{CASES}/{case}/events", json=body, headers=desk.key(*TEAM))
    problem(answer, 422, pointer)


def test_a_case_that_is_not_there_is_not_found(desk: "Site") -> None:
    nowhere = f"{CASES}/00000000-0000-0000-0000-000000000000"
    headers = desk.key(*TEAM)
    problem(desk.client.get(nowhere, headers=headers), 404)
    problem(desk.client.post(f"{nowhere}/events", json={"act": "verify", "actor": "王"}, headers=headers), 404)
    problem(attached(desk, "00000000-0000-0000-0000-000000000000"), 404)


def test_reminders_warnings_and_interviews(desk: "Site", case: str) -> None:
    here = desk.app.extensions[NAME]
    desk.clock.now += timedelta(days=12)
    office = Office(desk.engine, desk.keys, here.policy)
    run(office, clockwork(deeming=True, limits=Limits(60.0, 1)), "test", desk.clock(), stopped=lambda: False)
    reminders = desk.client.get("/api/v1/reminders", headers=desk.key(Scope.CASES_READ)).get_json()["reminders"]
    assert {(row["case"], row["side"]) for row in reminders} >= {(case, "after")}
    (warning,) = desk.client.get("/api/v1/warnings", headers=desk.key(Scope.CASES_READ)).get_json()["warnings"]
    assert (warning["department"], warning["index"]) == ("住建局", 0.0)
    path = f"/api/v1/warnings/{warning['id']}/interviews"
    body = {"actor": "赵", "note": "约谈局长"}
    assert desk.client.post(path, json=body, headers=desk.key(*REVIEWER)).status_code == 201
    problem(desk.client.post(path, json=body, headers=desk.key(*DEPARTMENT)), 403)
    problem(desk.client.post(path.replace(warning["id"], case), json=body, headers=desk.key(*REVIEWER)), 404)
