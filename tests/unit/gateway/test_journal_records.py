"""The records of a call: the same value comes back, a bad one is refused with a reason, a dead node's calls end."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.gateway.journal_records import AnswerRecord, CallRecord, EndedRecord, UnreadableRecord, parse, unfinished

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2099, 1, 1),  # noqa: DTZ001
    timezones=st.just(timezone(timedelta(hours=8))),
)
text = st.text(max_size=30)
calls = st.builds(
    CallRecord,
    id=text, call_id=text, node=text, flow=text, flow_version=text, language=text,
    started_at=moments, answered_at=moments, match=text,
    contact=st.none() | text, caller=st.none() | st.binary(max_size=40), trunk=st.none() | text,
)  # fmt: skip
answers = st.builds(
    AnswerRecord,
    id=text, question=text, answer=text, key=text, at=moments,
    evidence=st.dictionaries(text, st.none() | st.integers() | text, max_size=4),
)  # fmt: skip
endings = st.builds(
    EndedRecord, id=text, ended_at=moments, ended_by=text, outcome=text, attempts=st.integers(min_value=0)
)


def call(id_: str = "c1") -> CallRecord:
    return CallRecord(id_, "abc@host", "node-1", "survey", "1+abc", "zh-CN", NOON, NOON, "none", caller=b"\x00sealed")


def answer(id_: str = "c1", question: str = "grade") -> AnswerRecord:
    return AnswerRecord(id_, question, "satisfied", "2", NOON, {"way": "rfc4733", "position_ms": 2310})


def ended(id_: str = "c1") -> EndedRecord:
    return EndedRecord(id_, NOON, "service", "rated", 1)


@given(calls | answers | endings)
def test_every_record_comes_back_equal_and_is_one_line(record):
    payload = record.payload()
    assert parse(payload) == record
    assert b"\n" not in payload


def test_times_are_written_in_utc_with_microseconds():
    assert json.loads(call().payload())["answered_at"] == "2026-11-22T12:00:00.123456Z"


@pytest.mark.parametrize("record", [call(), answer(), ended()])
def test_each_missing_field_is_named(record):
    fields = json.loads(record.payload())
    for name in fields.keys() - {"kind", "contact", "caller", "trunk"}:
        with pytest.raises(UnreadableRecord, match=name):
            parse(json.dumps({key: value for key, value in fields.items() if key != name}).encode())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "fax"}, "unknown kind 'fax'"),
        ({"id": 7}, "id is not text"),
        ({"answered_at": "noon"}, "answered_at"),
        ({"answered_at": "2026-11-22T12:00:00"}, "no time zone"),
        ({"caller": "§"}, "caller is not base64"),
    ],
)
def test_a_bad_field_is_named(change, said):
    fields = json.loads(call().payload()) | change
    with pytest.raises(UnreadableRecord, match=said):
        parse(json.dumps(fields).encode())


@pytest.mark.parametrize("payload", [b"", b"nothing", b"[]", b"\xff\xfe", b"12"])
def test_what_is_no_record_is_refused(payload):
    with pytest.raises(UnreadableRecord):
        parse(payload)


@pytest.mark.parametrize("attempts", [-1, "1", 1.5])
def test_attempts_are_a_count(attempts):
    fields = json.loads(ended().payload()) | {"attempts": attempts}
    with pytest.raises(UnreadableRecord, match="attempts"):
        parse(json.dumps(fields).encode())


def test_a_call_left_open_with_a_grade_is_rated_and_one_without_is_an_error():
    later = NOON + timedelta(hours=1)
    records = [call("a"), call("b"), answer("a"), call("c"), ended("c"), call("d"), answer("d", "solved")]
    assert unfinished(records, later) == [
        EndedRecord("a", later, "node", "rated", 1),
        EndedRecord("b", later, "node", "error", 0),
        EndedRecord("d", later, "node", "error", 0),
    ]


def test_a_call_that_ended_is_not_ended_again():
    assert unfinished([call(), answer(), ended()], NOON) == []


def test_answers_whose_call_record_is_gone_are_not_ended():
    assert unfinished([answer("lost")], NOON) == []
