"""`POST /api/v1/evaluations`: one ballot per contact and round, whatever the channel, and every bad input named."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from test_contacts_api import CONTACTS, on_sqlite, rate

from ivr.handover.token import issue
from store.audit import verify
from store.credential import Channel, Scope
from store.database import reading, writing
from store.deadline import deemed_due
from store.idempotency import KEPT, forget
from store.privacy import FieldCipher
from store.query import Page, evaluations
from store.schema import Evaluation, FollowUp
from store.secret import derive

if TYPE_CHECKING:
    from conftest import Site
    from werkzeug.test import TestResponse

EVALUATIONS = "/api/v1/evaluations"
WORDING = "该办件已评价,无需重复评价"


def contact(site: "Site", **fields: Any) -> dict[str, Any]:
    return site.client.post(CONTACTS, json=fields, headers=site.key()).get_json()


def give(site: "Site", name: str, headers: dict[str, str] | None = None, **fields: Any) -> "TestResponse":
    headers = headers or site.key(channel=Channel.WEB)
    return site.client.post(EVALUATIONS, json={"contact": name, "grade": "satisfied"} | fields, headers=headers)


def problem(answer: "TestResponse", status: int, pointer: str) -> str:
    """Check that a problem names its field; give its detail."""
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.get_data()
    (error,) = answer.get_json()["errors"]
    assert error["pointer"] == pointer
    return str(error["detail"])


def test_an_evaluation_is_stored_with_the_channel_of_its_key_and_the_codes_of_its_contact(site: "Site") -> None:
    made = contact(site, operator="O1", department="D1", item="I1")
    comment = "排了很久的队。\n下次再来。"
    answer = give(
        site,
        made["id"],
        site.key(channel=Channel.WINDOW),
        grade="dissatisfied",
        tags=["209", "214"],
        comment=comment,
        device="window 3",
        answered_at="2026-11-22T13:00:00+08:00",
    )
    assert answer.status_code == 201, answer.get_data()
    body = answer.get_json()
    assert (body["channel"], body["grade"], body["stars"], body["round"]) == ("window", "dissatisfied", 2, 1)
    assert (body["answered_at"], body["claimed_at"]) == ("2026-11-22T06:00:00Z", "2026-11-22T05:00:00Z")
    with reading(site.engine) as connection:
        row = connection.execute(select(Evaluation.__table__)).mappings().one()
    assert (row["operator"], row["department"], row["item"]) == ("O1", "D1", "I1")
    assert row["unknown_codes"] == ["department", "item", "operator"]
    assert (row["tags"], row["tag_table"], row["match"], row["device"]) == (["209", "214"], "2024", "named", "window 3")
    assert FieldCipher(site.keys.fields).open(row["comment"], row["id"].encode()) == comment
    assert site.client.get(f"{CONTACTS}/{made['id']}", headers=site.key()).get_json()["outcome"] == "rated"
    assert list(verify(site.engine, site.keys)) == []


def test_a_token_names_its_contact_too(site: "Site") -> None:
    made = contact(site)
    assert give(site, made["token"].upper()).get_json()["contact"] == made["id"]


def test_the_second_channel_meets_the_platforms_wording_and_changes_nothing(site: "Site") -> None:
    made = contact(site)
    assert give(site, made["id"], site.key(channel=Channel.SMS)).status_code == 201
    late = give(site, made["id"], site.key(channel=Channel.QR), grade="very_dissatisfied")
    assert problem(late, 409, "#/contact") == WORDING
    assert late.get_json()["detail"] == WORDING
    rate(site, made["id"])  # and by telephone
    assert [row.channel for row in evaluations(site.engine, Page())] == ["sms"]
    in_english = give(site, made["id"], site.key(channel=Channel.QR) | {"Accept-Language": "en"})
    assert "evaluated" in problem(in_english, 409, "#/contact")


def test_a_rated_call_leaves_nothing_for_the_link_in_the_message(site: "Site") -> None:
    made = contact(site)
    rate(site, made["id"])
    assert problem(give(site, made["id"]), 409, "#/contact") == WORDING


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["web", "sms", "window", "qr", "terminal", "call"]), min_size=2, max_size=6))
def test_of_ballots_at_once_over_any_channels_exactly_one_wins(site: "Site", channels: list[str]) -> None:
    name = contact(site)["id"]
    headers = [site.key(channel=Channel(channel)) if channel != "call" else {} for channel in channels]
    before = sum(1 for _ in evaluations(site.engine, Page()))

    def vote(place: int) -> int:
        if channels[place] == "call":
            rate(site, name)
            return 0
        client = site.app.test_client()
        body = {"contact": name, "grade": "satisfied"}
        return client.post(EVALUATIONS, json=body, headers=headers[place]).status_code

    with ThreadPoolExecutor(len(channels)) as pool:
        answers = list(pool.map(vote, range(len(channels))))
    rows = [row for row in evaluations(site.engine, Page()) if row.contact == name]
    by_call = [row for row in rows if row.channel == "ivr"]
    calls = channels.count("call")
    # calls are follow-ups of one another by setting; any other channel is stored once, and then no call is
    assert answers.count(201) + bool(by_call) == 1
    assert set(answers) <= {0, 201, 409}
    assert len(rows) == (len(by_call) if by_call else 1)
    assert len(by_call) in (0, calls)
    assert sum(1 for _ in evaluations(site.engine, Page())) == before + len(rows)


def test_an_idempotency_key_replays_the_first_answer_and_refuses_another_body(site: "Site") -> None:
    made = contact(site)
    headers = site.key(channel=Channel.WEB) | {"Idempotency-Key": "a"}
    first = give(site, made["id"], headers, comment="好")
    site.clock.now += timedelta(hours=25)  # the token has expired, the answer has not
    again = give(site, made["id"], headers, comment="好")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    other = give(site, made["id"], headers, comment="不好")
    assert other.status_code == 422
    assert "Idempotency-Key" in other.get_json()["detail"]
    assert len(list(evaluations(site.engine, Page()))) == 1


def test_a_refusal_is_replayed_too(site: "Site") -> None:
    made = contact(site)
    give(site, made["id"])
    headers = site.key(channel=Channel.SMS) | {"Idempotency-Key": "a"}
    assert [give(site, made["id"], headers).status_code for _ in range(2)] == [409, 409]
    assert give(site, made["id"], headers, grade="dissatisfied").status_code == 422


def test_answers_are_kept_for_a_day_at_least_and_then_forgotten(site: "Site") -> None:
    made = contact(site)
    give(site, made["id"], site.key(channel=Channel.WEB) | {"Idempotency-Key": "a"})
    for later, forgotten in ((timedelta(hours=24), 0), (KEPT + timedelta(seconds=1), 1)):
        assert forget(site.engine, site.clock() + later) == forgotten


def test_requests_at_once_with_one_idempotency_key_are_one_evaluation(site: "Site") -> None:
    name = contact(site)["id"]
    headers = site.key(channel=Channel.WEB) | {"Idempotency-Key": "a"}

    def vote(_place: int) -> Any:
        answer = site.app.test_client().post(EVALUATIONS, json={"contact": name, "grade": "satisfied"}, headers=headers)
        return answer.status_code, answer.get_json()["id"]

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(vote, range(8)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 201


@on_sqlite
@pytest.mark.parametrize("channel", [Channel.CTI])
def test_staff_have_no_way_to_bring_in_a_grade(site: "Site", channel: Channel) -> None:
    name = contact(site)["id"]
    for headers in (site.key(channel=channel), site.key(*Scope, channel=channel)):
        assert give(site, name, headers).status_code == 403
    assert list(evaluations(site.engine, Page())) == []


@on_sqlite
@pytest.mark.parametrize("grade", ["5", 5, 9, "1", "Satisfied", "满意", "", None, ["satisfied"], True])
def test_a_grade_of_another_scale_is_never_guessed(site: "Site", grade: object) -> None:
    answer = give(site, contact(site)["id"], grade=grade)
    assert "very_satisfied" in problem(answer, 422, "#/grade")


@on_sqlite
@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"tags": ["209"]}, "#/tags/0"),  # a tag of another grade
        ({"tags": ["406", "999"]}, "#/tags/1"),
        ({"tags": ["406", "406"]}, "#/tags/1"),
        ({"tags": "406"}, "#/tags"),
        ({"tags": [406]}, "#/tags/0"),
        ({"comment": "x" * 2001}, "#/comment"),
        ({"comment": "a\x00b"}, "#/comment"),
        ({"comment": "\x1b[2J"}, "#/comment"),
        ({"answered_at": "2026-11-22T15:00:00+08:00"}, "#/answered_at"),
        ({"answered_at": "2026-11-22T13:00:00"}, "#/answered_at"),
        ({"answered_at": "9999-12-31T23:59:59+00:00"}, "#/answered_at"),
        ({"contact": "not a contact"}, "#/contact"),
        ({"contact": None}, "#/contact"),
        ({"round": 0}, "#/round"),
        ({"round": 2}, "#/round"),
        ({"channel": "web"}, "#/channel"),
        ({"deemed": True}, "#/deemed"),
    ],
)
def test_what_cannot_be_taken_is_named_in_both_languages(site: "Site", fields: dict[str, Any], pointer: str) -> None:
    made = contact(site)
    body = {"contact": made["id"], "grade": "satisfied"} | fields
    details = set()
    for language in ("zh-CN", "en"):
        headers = site.key(channel=Channel.WEB) | {"Accept-Language": language}
        details.add(problem(site.client.post(EVALUATIONS, json=body, headers=headers), 422, pointer))
    assert len(details) == 2
    assert list(evaluations(site.engine, Page())) == []


@on_sqlite
@pytest.mark.parametrize("size", [100_000, 1_000_000, 5_000_000])
def test_an_endless_comment_is_too_large_and_no_crash(site: "Site", size: int) -> None:
    answer = give(site, contact(site)["id"], comment="评" * size)
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")
    assert give(site, contact(site)["id"], comment="评" * 2000).status_code == 201


def test_an_unknown_a_foreign_and_an_expired_contact_are_told_apart(site: "Site") -> None:
    made = contact(site)
    assert give(site, str(uuid4())).status_code == 404
    forged = issue(derive(b"\x09" * 32), made["id"], None, site.clock() + timedelta(days=1))
    assert problem(give(site, forged), 404, "#/contact")
    expired = issue(site.keys, made["id"], None, site.clock())
    in_chinese = problem(give(site, expired), 410, "#/contact")
    assert "过期" in in_chinese


def test_a_contact_whose_time_is_over_is_closed(site: "Site") -> None:
    served = site.clock() - timedelta(days=1)
    made = contact(site, served_at=served.isoformat())
    last = deemed_due(served).at  # the end of the seventh day, in Siping
    site.clock.now = last + timedelta(microseconds=1)
    assert "期限" in problem(give(site, made["id"]), 410, "#/contact")
    site.clock.now = last
    assert give(site, made["id"]).status_code == 201


def test_a_service_cannot_have_ended_in_the_future(site: "Site") -> None:
    later = (site.clock() + timedelta(hours=1)).isoformat()
    answer = site.client.post(CONTACTS, json={"served_at": later}, headers=site.key())
    assert problem(answer, 422, "#/served_at")


def offer(site: "Site", name: str, number: int, days: int = 7) -> None:
    with writing(site.engine) as connection:
        values = {"id": str(uuid4()), "contact": name, "round": number, "reason": "rectified", "by": "test"}
        until = site.clock() + timedelta(days=days)
        connection.execute(insert(FollowUp).values(**values, opened_at=site.clock(), owed_until=until))


def test_a_round_that_was_offered_is_given_once_and_in_its_time(site: "Site") -> None:
    name = contact(site)["id"]
    give(site, name, grade="dissatisfied")
    assert give(site, name).status_code == 409
    site.clock.now += timedelta(days=20)  # the contact's own time is long over
    offer(site, name, 2)
    second = give(site, name, site.key(channel=Channel.SMS))
    assert (second.status_code, second.get_json()["round"]) == (201, 2)
    assert give(site, name).status_code == 409
    offer(site, name, 3, days=1)
    site.clock.now += timedelta(days=2)
    assert give(site, name).status_code == 410


def test_a_second_evaluation_of_ones_own_accord_must_say_so_and_be_allowed(site: "Site") -> None:
    name = contact(site)["id"]
    give(site, name)
    assert give(site, name).status_code == 409
    assert give(site, name, round=3).status_code == 422
    again = give(site, name, round=2, grade="dissatisfied")
    assert (again.status_code, again.get_json()["round"]) == (201, 2)
    # both at one moment of the test's clock: which of them is listed first is left to their ids
    assert sorted((row.round, row.grade) for row in evaluations(site.engine, Page())) == [
        (1, "satisfied"),
        (2, "dissatisfied"),
    ]


def lease(site: "Site", name: str, headers: dict[str, str], seconds: int = 60) -> "TestResponse":
    return site.client.post(f"{CONTACTS}/{name}/lease", json={"seconds": seconds}, headers=headers)


def test_while_one_channel_asks_another_waits_until_the_turn_ends(site: "Site") -> None:
    name = contact(site)["id"]
    message, voice = site.key(channel=Channel.SMS), site.key(channel=Channel.IVR)
    first = lease(site, name, message)
    assert (first.status_code, first.get_json()["channel"]) == (200, "sms")
    assert first.get_json()["until"] == "2026-11-22T06:01:00Z"
    refused = lease(site, name, voice)
    assert problem(refused, 409, "#/contact")
    assert refused.headers["Retry-After"] == "61"
    assert lease(site, name, message, 120).get_json()["until"] == "2026-11-22T06:02:00Z"
    site.clock.now += timedelta(seconds=120)
    assert lease(site, name, voice).get_json()["channel"] == "ivr"
    assert site.client.delete(f"{CONTACTS}/{name}/lease", headers=message).status_code == 204  # another's stays
    assert lease(site, name, message).status_code == 409
    assert site.client.delete(f"{CONTACTS}/{name}/lease", headers=voice).status_code == 204
    assert lease(site, name, message).status_code == 200


def test_nobody_need_ask_a_contact_that_has_answered_or_whose_time_is_over(site: "Site") -> None:
    name, closed = contact(site)["id"], contact(site)["id"]
    give(site, name)
    message = site.key(channel=Channel.SMS)
    assert lease(site, name, message).status_code == 409
    assert lease(site, str(uuid4()), message).status_code == 404
    site.clock.now += timedelta(days=8)
    assert lease(site, closed, message).status_code == 410


def test_a_turn_is_no_condition_for_answering(site: "Site") -> None:
    name = contact(site)["id"]
    lease(site, name, site.key(channel=Channel.SMS))
    assert give(site, name, site.key(channel=Channel.QR)).status_code == 201


@on_sqlite
@pytest.mark.parametrize("number", ["13812345678x", "call me", "1" * 40, "١٢٣٤٥٦٧٨", "138\u202e12345678"])
def test_an_invalid_number_is_named_and_never_repeated(site: "Site", number: str) -> None:
    answer = site.client.post(CONTACTS, json={"caller": number}, headers=site.key())
    assert problem(answer, 422, "#/caller")
    assert number not in answer.get_data(as_text=True)
