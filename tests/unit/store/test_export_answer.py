"""What a platform answers, when it is tried again, and how a message is proved."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.exports.answer import Again, Delivered, Fault, Refused, Response, judge
from store.exports.backoff import FIRST, LONGEST, pause
from store.exports.mapping import Answers
from store.exports.signature import signed_headers

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
ANSWERS = Answers("code", "msg", frozenset({"0", "200"}), frozenset({("1", "该办件已评价,无需重复评价")}))


def said(status: int, content: object, retry_after: str | None = None) -> Response:
    return Response(status, json.dumps(content, ensure_ascii=False).encode(), retry_after)


@pytest.mark.parametrize("code", [0, "0", 200, "200"])
def test_taken_is_what_the_target_calls_taken(code: object) -> None:
    assert judge(said(200, {"code": code, "msg": "成功"}), ANSWERS, NOW) == Delivered()


@pytest.mark.parametrize("comma", [",", "，"])
@pytest.mark.parametrize("status", [200, 400, 409, 500])
def test_whoever_has_it_already_has_it(status: int, comma: str) -> None:
    answer = said(status, {"code": 1, "msg": f"该办件已评价{comma}无需重复评价"})
    assert judge(answer, ANSWERS, NOW) == Delivered(duplicate=True)


def test_the_duplicates_code_with_other_words_is_a_refusal_in_the_platforms_words() -> None:
    assert judge(said(200, {"code": 1, "msg": "办件\n不存在"}), ANSWERS, NOW) == Refused("HTTP 200 code 1 办件 不存在")


@pytest.mark.parametrize(
    "answer",
    [
        Fault("nobody answers"),
        Response(200, b""),
        Response(200, b'{"code": 0'),
        Response(200, b"[0]"),
        Response(200, b"\xff"),
        Response(200, b"[" * 100_000),
        Response(200, b"<html>login</html>"),
        said(200, {"code": True}),
        said(200, {"code": None}),
        said(302, {"code": 0}),
        said(401, {}),
        said(404, {}),
        said(429, {}),
        said(500, {"code": 0}),
        said(503, {}),
    ],
)
def test_in_doubt_it_is_sent_again(answer: Response | Fault) -> None:
    assert isinstance(judge(answer, ANSWERS, NOW), Again)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_can_never_be_taken_is_refused_at_once(status: int) -> None:
    assert judge(said(status, {"msg": "字段缺失"}), ANSWERS, NOW) == Refused(f"HTTP {status} 字段缺失")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), ("Sun, 22 Nov 2026 06:01:00 GMT", 60), ("Sun, 22 Nov 2020 06:01:00 GMT", 0), ("soon", None),
     ("-5", None), ("9" * 400, 10**8), ("²", None)],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms_and_never_breaks(text: str, seconds: int | None) -> None:
    verdict = judge(said(429, {}, text), ANSWERS, NOW)
    assert verdict == Again("HTTP 429", None if seconds is None else timedelta(seconds=seconds))


@given(st.integers(200, 599), st.binary(max_size=200), st.text(max_size=40))
def test_no_answer_breaks_the_reader_and_none_but_a_known_code_delivers(status: int, body: bytes, after: str) -> None:
    assert isinstance(judge(Response(status, body, after), ANSWERS, NOW), Again | Refused)


@given(st.integers(1, 500), st.floats(0, 1))
def test_pauses_double_within_a_bound_and_half_of_each_is_chance(attempts: int, chance: float) -> None:
    full = min(FIRST * 2 ** min(attempts - 1, 40), LONGEST)
    assert full / 2 <= pause(attempts, chance) <= full


def test_what_the_platform_asks_for_is_kept_within_the_bound() -> None:
    assert pause(1, 0.0, timedelta(minutes=10)) == timedelta(minutes=10)
    assert pause(1, 0.0, timedelta(days=900)) == LONGEST
    assert pause(1, 0.0, timedelta(0)) == FIRST / 2


def test_the_signature_is_over_time_nonce_and_body() -> None:
    headers = signed_headers(b"secret", "pingjia-1", 1700000000, "ab" * 16, b"{}")
    expected = hmac.new(b"secret", b"1700000000\n" + b"ab" * 16 + b"\n{}", hashlib.sha256).hexdigest()
    assert headers == {
        "X-Pingjia-Key": "pingjia-1", "X-Pingjia-Timestamp": "1700000000", "X-Pingjia-Nonce": "ab" * 16,
        "X-Pingjia-Signature": expected,
    }  # fmt: skip
    assert signed_headers(b"secret", "k", 1700000000, "ab" * 16, b"{ }")["X-Pingjia-Signature"] != expected
