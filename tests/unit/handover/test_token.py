"""The token: what goes in comes out, and every damage is named for what it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.handover.token import LENGTH, PREFIX, Reading, find_token, issue, looks_like_token, read
from store.call import Match
from store.secret import derive

OURS, THEIRS = derive(b"\x01" * 32), derive(b"\x02" * 32)
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=24)
CONTACT = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

contacts = st.uuids().map(str)
languages = st.sampled_from((None, "zh-CN", "en"))
moments = st.integers(1, 2**32 - 2)


@given(contacts, languages, moments)
def test_what_is_issued_is_read_in_any_case(contact: str, language: str | None, expiry: int) -> None:
    token = issue(OURS, contact, language, datetime.fromtimestamp(expiry, UTC))
    before = datetime.fromtimestamp(expiry - 1, UTC)
    for spelling in (token, token.upper(), token.title()):
        assert read(spelling, OURS, before) == Reading(Match.TOKEN, contact, language)


@given(contacts, moments)
def test_a_token_expires_at_its_second_and_still_names_its_contact(contact: str, expiry: int) -> None:
    at = datetime.fromtimestamp(expiry, UTC)
    assert read(issue(OURS, contact, None, at), OURS, at) == Reading(Match.EXPIRED, contact, None)


@pytest.mark.parametrize("offset", [timedelta(hours=-1), timedelta(hours=1)], ids=["expired", "valid"])
def test_every_single_changed_bit_is_forged_never_valid_expired_or_foreign(offset: timedelta) -> None:
    token = issue(OURS, CONTACT, "en", NOW + offset)
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    for place in range(len(PREFIX), LENGTH):
        for bit in range(5):
            changed = alphabet[alphabet.index(token[place]) ^ (1 << bit)]
            assert read(token[:place] + changed + token[place + 1 :], OURS, NOW) == Reading(Match.FORGED)


def test_a_token_of_another_site_is_foreign_whether_expired_or_not() -> None:
    for at in (NOW - timedelta(days=1), LATER):
        assert read(issue(THEIRS, CONTACT, None, at), OURS, NOW) == Reading(Match.FOREIGN)


def test_our_site_under_another_key_is_forged() -> None:
    thief = replace(THEIRS, site=OURS.site)
    assert read(issue(thief, CONTACT, None, LATER), OURS, NOW) == Reading(Match.FORGED)


@pytest.mark.parametrize("cut", [24, 40, LENGTH - 1])
def test_a_token_cut_short_by_a_trunk_is_forged(cut: int) -> None:
    assert read(issue(OURS, CONTACT, None, LATER)[:cut], OURS, NOW) == Reading(Match.FORGED)


def test_a_token_with_a_digit_base32_does_not_have_is_forged() -> None:
    token = issue(OURS, CONTACT, None, LATER)
    assert read(token[:30] + "0" + token[31:], OURS, NOW) == Reading(Match.FORGED)


@pytest.mark.parametrize("text", ["", "12345", "survey", "pjsip", "pjones", "+8613800000000", "pj", "评价"])
def test_an_ordinary_user_part_is_no_token(text: str) -> None:
    assert not looks_like_token(text)
    assert read(text, OURS, NOW) == Reading(Match.NONE)


def test_a_dialled_prefix_before_the_token_does_not_hurt() -> None:
    token = issue(OURS, CONTACT, None, LATER)
    assert find_token(f"9{token}") == token
    assert find_token(f"a{token};phone-context=x") == token


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert read(text, OURS, NOW).match in (Match.NONE, Match.FORGED, Match.FOREIGN)
    assert read(f"pj{text}", OURS, NOW).match in (Match.NONE, Match.FORGED, Match.FOREIGN)


def test_a_contact_that_is_no_uuid_and_a_language_without_a_code_are_refused() -> None:
    with pytest.raises(ValueError):
        issue(OURS, CONTACT, "fr", LATER)
    with pytest.raises(ValueError):
        issue(OURS, "not a contact", None, LATER)


def test_the_token_fits_a_sip_user_part_without_escapes() -> None:
    token = issue(OURS, str(UUID(int=0)), None, LATER)
    assert len(token) == LENGTH == 74
    assert token.isalnum()
    assert token == token.lower()
