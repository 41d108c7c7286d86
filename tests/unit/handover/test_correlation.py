"""The token is found wherever a PBX may put it, and nowhere else."""

from datetime import UTC, datetime

import pytest

from ivr.handover.correlation import correlate
from ivr.handover.token import issue
from store.secret import derive

KEYS = derive(b"\x07" * 32)
TOKEN = issue(KEYS, "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "zh-CN", datetime(2027, 1, 1, tzinfo=UTC))
OTHER = issue(KEYS, "00000000-8b86-4d01-b42d-00cf4fc964ff", None, datetime(2027, 1, 1, tzinfo=UTC))
HEX = TOKEN.encode().hex()


@pytest.mark.parametrize(
    ("user", "headers"),
    [
        (TOKEN, {}),
        (TOKEN.upper(), {}),
        (f"{TOKEN};phone-context=+86", {}),
        (f"%70j{TOKEN[2:]}", {}),
        ("survey", {"X-Evaluation-Token": [TOKEN]}),
        ("survey", {"x-evaluation-token": [f" {TOKEN} "]}),
        ("survey", {"User-to-User": [f"{HEX};encoding=hex"]}),
        ("survey", {"User-to-User": [f"{HEX.upper()};encoding=hex;purpose=isdn-uui;content=isdn-uui"]}),
        ("survey", {"User-to-User": [f"04{HEX};encoding=hex"]}),
        ("survey", {"User-to-User": [HEX]}),
        ("survey", {"User-to-User": [TOKEN]}),
        ("survey", {"User-to-User": [f'"{TOKEN}";encoding=ascii']}),
        ("survey", {"User-to-User": [f"abcdef;encoding=hex, {HEX};encoding=hex"]}),
        ("survey", {"User-to-User": ["abcdef;encoding=hex", f"{HEX};encoding=hex"]}),
        ("survey", {"Refer-To": [f"<sip:survey@pbx?X-Evaluation-Token={TOKEN}>"]}),
        ("survey", {"Refer-To": [f"<sip:survey@pbx?Replaces=1%40x&User-to-User={HEX}%3Bencoding%3Dhex>"]}),
        ("survey", {"Refer-To": [f"<sip:{TOKEN}@pbx>"]}),
    ],
)
def test_the_token_is_found(user: str, headers: dict[str, list[str]]) -> None:
    assert correlate(user, headers) == TOKEN


def test_the_user_part_comes_before_the_headers() -> None:
    assert correlate(TOKEN, {"X-Evaluation-Token": [OTHER], "User-to-User": [OTHER]}) == TOKEN
    assert correlate("x", {"User-to-User": [OTHER], "X-Evaluation-Token": [TOKEN]}) == TOKEN


def test_a_lookup_function_serves_as_well_as_a_mapping() -> None:
    assert correlate("survey", lambda name: [TOKEN] if name == "User-to-User" else []) == TOKEN


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-to-User": ["", ";encoding=hex", "zz;encoding=hex", "abc;encoding=hex"]},
        {"Refer-To": ["", "<sip:12345@pbx?>", "<sip:12345@pbx?X-Evaluation-Token>"]},
        {"X-Evaluation-Token": ["", "13800000000"]},
    ],
)
def test_a_call_without_a_token_has_none(headers: dict[str, list[str]]) -> None:
    assert correlate("12345", headers) is None


def test_a_damaged_token_is_still_handed_on_to_be_told_apart() -> None:
    assert correlate(TOKEN[:-6], {}) == TOKEN[:-6]
