"""Who is let in, and as whom."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.gateway.admission import Admitted, Door, Refusal, caller_number, number_of
from ivr.handover.token import issue
from ivr.sip.message import Request, parse
from store.call import Match
from store.secret import derive

KEYS = derive(b"k" * 32)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CONTACT = "0190a0c0-0000-7000-8000-000000000001"


def invite(user: str = "survey", *headers: str) -> Request:
    lines = [
        f"INVITE sip:{user}@192.0.2.1 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1",
        "From: <sip:13800138000@192.0.2.9>;tag=a",
        f"To: <sip:{user}@192.0.2.1>",
        "Call-ID: c1",
        "CSeq: 1 INVITE",
        *headers,
    ]
    request = parse(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(request, Request)
    return request


def door(*, users: frozenset[str] = frozenset(), refuse: bool = False) -> Door:
    return Door(KEYS, users, refuse)


def test_a_token_in_the_user_part_binds_the_call_to_its_contact() -> None:
    token = issue(KEYS, CONTACT, "en", NOW + timedelta(hours=1))
    decision = door().admit(invite(token), NOW)
    assert isinstance(decision, Admitted)
    assert (decision.reading.match, decision.reading.contact, decision.reading.language) == (Match.TOKEN, CONTACT, "en")


def test_a_call_without_a_token_is_asked_all_the_same() -> None:
    decision = door().admit(invite(), NOW)
    assert isinstance(decision, Admitted)
    assert decision.reading.match is Match.NONE


@pytest.mark.parametrize("hours", [-1, None])
def test_where_unmatched_calls_are_refused_they_meet_403(hours: int | None) -> None:
    user = "survey" if hours is None else issue(KEYS, CONTACT, None, NOW + timedelta(hours=hours))
    assert door(refuse=True).admit(invite(user), NOW) == Refusal(403, "Forbidden")


def test_an_unknown_user_part_meets_404_only_where_users_are_set() -> None:
    strict = door(users=frozenset({"survey"}))
    assert strict.admit(invite("elsewhere"), NOW) == Refusal(404, "Not Found")
    assert isinstance(strict.admit(invite("Survey"), NOW), Admitted)
    assert isinstance(door().admit(invite("elsewhere"), NOW), Admitted)


def test_a_token_reaches_the_survey_whatever_users_are_set() -> None:
    token = issue(KEYS, CONTACT, None, NOW + timedelta(hours=1))
    assert isinstance(door(users=frozenset({"survey"})).admit(invite(token), NOW), Admitted)


def test_the_number_the_trunk_asserts_counts_before_from() -> None:
    asserted = invite("survey", 'P-Asserted-Identity: "A" <tel:+86-434-12345>')
    assert caller_number(asserted) == "+8643412345"
    assert caller_number(invite()) == "13800138000"


@pytest.mark.parametrize("user", ["anonymous", "1042b", "", "12", "+", "٣٤٥٦"])
def test_what_is_no_telephone_number_is_none(user: str) -> None:
    assert number_of(user) is None
