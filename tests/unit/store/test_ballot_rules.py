"""Which round a ballot is, which tags a grade has, and what a digest of a row covers."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.ballot import Ballot, Verdict, from_the_future, settle_round
from store.call import Match
from store.chain import GENESIS, entry_hash, row_digest, sealed_hash
from store.contact import service_end
from store.evaluation import Earlier, Repeat
from store.grade import Grade
from store.tag_table import TagTableMistake, parse
from store.tags import newest_tag_table

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
KEY = b"\x01" * 32


def ballot(number: int | None = None) -> Ballot:
    return Ballot("c", Match.NAMED, Grade.SATISFIED, round=number)


@pytest.mark.parametrize(
    ("wanted", "rounds", "offered", "repeat", "found"),
    [
        (None, 0, 1, Repeat.REFUSE, 1),
        (1, 0, 1, Repeat.REFUSE, 1),
        (2, 0, 1, Repeat.FOLLOW_UP, Verdict.NO_SUCH_ROUND),
        (None, 1, 1, Repeat.FOLLOW_UP, Verdict.ALREADY_EVALUATED),
        (1, 1, 1, Repeat.FOLLOW_UP, Verdict.ALREADY_EVALUATED),
        (2, 1, 1, Repeat.FOLLOW_UP, 2),
        (2, 1, 1, Repeat.REFUSE, Verdict.ALREADY_EVALUATED),
        (3, 1, 1, Repeat.REFUSE, Verdict.ALREADY_EVALUATED),
        (3, 1, 1, Repeat.FOLLOW_UP, Verdict.NO_SUCH_ROUND),
        (None, 1, 2, Repeat.REFUSE, 2),
        (1, 1, 2, Repeat.REFUSE, Verdict.ALREADY_EVALUATED),
        (2, 1, 2, Repeat.REFUSE, 2),
        (None, 2, 2, Repeat.FOLLOW_UP, Verdict.ALREADY_EVALUATED),
    ],
)
def test_the_round_of_a_ballot(
    wanted: int | None, rounds: int, offered: int, repeat: Repeat, found: int | Verdict
) -> None:
    assert settle_round(ballot(wanted), Earlier(rounds, offered=offered), None, now=NOW, repeat=repeat) == found


def test_a_round_ends_with_its_own_time() -> None:
    late = NOW + timedelta(seconds=1)
    for earlier in (Earlier(), Earlier(1, offered=2, offered_until=NOW)):
        assert isinstance(settle_round(ballot(), earlier, NOW, now=NOW, repeat=Repeat.REFUSE), int)
        assert settle_round(ballot(), earlier, NOW, now=late, repeat=Repeat.REFUSE) is Verdict.CLOSED
    assert settle_round(ballot(), Earlier(1), NOW, now=late, repeat=Repeat.REFUSE) is Verdict.ALREADY_EVALUATED


@given(st.one_of(st.none(), st.integers(1, 9)), st.integers(0, 8), st.integers(1, 9), st.sampled_from(Repeat))
def test_whatever_is_asked_a_ballot_is_the_next_round_or_none(
    wanted: int | None, rounds: int, offered: int, repeat: Repeat
) -> None:
    found = settle_round(ballot(wanted), Earlier(rounds, offered=offered), None, now=NOW, repeat=repeat)
    assert isinstance(found, Verdict) or found == rounds + 1


def test_a_minute_of_a_devices_clock_is_no_future() -> None:
    assert not from_the_future(None, NOW)
    assert not from_the_future(NOW + timedelta(seconds=60), NOW)
    assert from_the_future(NOW + timedelta(seconds=61), NOW)


def test_an_evaluation_is_waited_for_from_the_services_end_which_is_not_after_its_registration() -> None:
    assert service_end(NOW - timedelta(days=1), NOW) == NOW - timedelta(days=1)
    assert service_end(None, NOW) == service_end(NOW + timedelta(days=1), NOW) == NOW


def test_the_tag_table_of_2024_has_eight_tags_for_each_grade_that_begin_with_its_stars() -> None:
    table = newest_tag_table()
    assert table.version == "2024"
    for grade in Grade:
        assert len(table.tags[grade]) == 8
        assert {code[0] for code in table.tags[grade]} == {str(grade.stars)}
    assert table.tags[Grade.VERY_DISSATISFIED]["115"] == "服务态度差效率低"


def test_a_tag_fits_its_grade_once() -> None:
    table = newest_tag_table()
    assert table.misfits(Grade.SATISFIED, ["406", "407"]) == []
    assert table.misfits(Grade.SATISFIED, ["406", "510", "", "406"]) == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version: '1'",
        "version: 1\ngrades: {}",
        "version: '1'\ngrades: {good: {'1': a}}",
        "version: '1'\ngrades: {satisfied: {010: a}}",
        "version: '1'\ngrades: {satisfied: {'1': a}, dissatisfied: {'1': b}}",
        "{",
    ],
)
def test_a_file_that_is_no_tag_table_is_refused(text: str) -> None:
    with pytest.raises(TagTableMistake):
        parse(text)


def digest(**fields: object) -> bytes:
    return row_digest(KEY, ("evaluation", "id"), fields, {}, {})


def test_a_digest_is_of_what_a_database_gives_back() -> None:
    beijing = NOW.astimezone(timezone(timedelta(hours=8)))
    assert digest(at=NOW) == digest(at=beijing)
    assert digest(a=1, b=None) == digest(a=1)
    assert digest(a={"x": 1.0, "y": [2.0, None]}) == digest(a={"y": [2, None], "x": 1})
    assert digest(grade=Grade.SATISFIED) == digest(grade="satisfied")


def test_a_digest_tells_any_two_rows_apart() -> None:
    rows = [
        digest(a=1),
        digest(a="1"),
        digest(a=True),
        digest(b=1),
        digest(a=[1]),
        digest(a={"x": None}),
        digest(a={}),
        digest(a=b"\x01"),
        row_digest(KEY, ("evaluation", "other"), {"a": 1}, {}, {}),
        row_digest(KEY, ("call", "id"), {"a": 1}, {}, {}),
        row_digest(KEY, ("evaluation", "id"), {"a": 1}, {"c": sealed_hash(b"x")}, {}),
        row_digest(KEY, ("evaluation", "id"), {"a": 1}, {}, {"answer": [{"q": 1}]}),
        row_digest(b"\x02" * 32, ("evaluation", "id"), {"a": 1}, {}, {}),
    ]
    assert len(set(rows)) == len(rows)


def test_parts_of_a_row_have_no_order() -> None:
    one, other = {"q": "grade"}, {"q": "solved"}
    found = {row_digest(KEY, ("call", "id"), {}, {}, {"answer": parts}) for parts in ([one, other], [other, one])}
    assert len(found) == 1


def test_an_entry_depends_on_everything_before_and_in_it() -> None:
    values = {"seq": 1, "at": NOW, "table": "call", "row": "00000000-0000-4000-8000-000000000001", "digest": GENESIS}
    changes = [
        {},
        {"seq": 2},
        {"at": NOW + timedelta(microseconds=1)},
        {"table": "contact"},
        {"row": "00000000-0000-4000-8000-000000000002"},
        {"digest": b"\x01" * 32},
    ]
    found = {entry_hash(KEY, GENESIS, **values | change) for change in changes}  # type: ignore[arg-type]
    assert len(found | {entry_hash(KEY, b"\x01" * 32, **values)}) == len(changes) + 1  # type: ignore[arg-type]


def test_the_ledger_keeps_nothing_it_cannot_read_back() -> None:
    with pytest.raises(TypeError):
        digest(a={1, 2})
