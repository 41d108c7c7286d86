"""Finished calls become rows: once, completely, whoever delivers them how often."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settled_calls import NOW, settled_call
from sqlalchemy import Engine, select, text

from store.call import GivenAnswer, Match, SettledCall
from store.contact import NewContact
from store.database import reading, writing
from store.errors import SchemaTooOld, StoreUnavailable
from store.query import Page, calls, contact, evaluations
from store.record import Recorded, Recorder, Refused
from store.register import register
from store.schema import REVISION, Answer, Call, Contact, Evaluation
from store.secret import derive

KEYS = derive(b"\x01" * 32)
Opened = Callable[[str], Engine]


def registered(engine: Engine) -> str:
    return register(engine, KEYS, NewContact(), now=NOW, expires_at=NOW + timedelta(days=1)).id


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Everything recorded, for comparison."""
    with reading(engine) as connection:
        return {
            table.__tablename__: [
                dict(row)
                for row in connection.execute(select(table.__table__).order_by(*table.__table__.primary_key)).mappings()
            ]
            for table in (Call, Answer, Evaluation, Contact)
        }


def bound(engine: Engine, **changes: Any) -> SettledCall:
    return settled_call(match=Match.TOKEN, contact=registered(engine), **changes)


def test_a_rated_call_is_a_call_its_answers_and_one_evaluation(database_url: str, opened: Opened) -> None:
    engine = opened(database_url)
    call = bound(engine)
    solved = GivenAnswer("solved", "yes", "1", NOW + timedelta(seconds=9), {"way": "info", "position_ms": 1200})
    call = replace(call, answers=(*call.answers, solved))
    recorded_at = NOW + timedelta(minutes=1)
    with closing(Recorder(database_url, "follow_up", KEYS, clock=lambda: recorded_at)) as recorder:
        assert recorder.record([call]) == [Recorded(call.id, call.id, "token", 1)]
    found = rows(engine)
    assert [answer["question"] for answer in found["answer"]] == ["grade", "solved"]
    assert found["answer"][1]["evidence"] == {"way": "info", "position_ms": 1200}
    (row,) = evaluations(engine, Page())
    assert (row.id, row.contact, row.channel, row.grade, row.stars) == (call.id, call.contact, "ivr", "satisfied", 4)
    assert (row.round, row.deemed, row.adopted, row.match, row.key) == (1, False, True, "token", "2")
    assert (row.answered_at, row.recorded_at) == (NOW + timedelta(seconds=6), recorded_at)
    assert row.call_id == call.call_id
    assert contact(engine, call.contact or "", None, NOW).outcome == "rated"


def test_times_come_back_as_the_same_moment_in_utc(database_url: str, opened: Opened) -> None:
    local = datetime.fromisoformat("2026-11-22T14:00:00.123456+08:00")
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        recorder.record([settled_call(started_at=local)])
    (row,) = calls(opened(database_url), Page(), None)
    assert row.started_at == local
    assert row.started_at.tzinfo is UTC


def test_a_call_without_a_token_is_kept_and_bound_to_nobody(database_url: str, opened: Opened) -> None:
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        recorder.record([settled_call()])
    (row,) = evaluations(opened(database_url), Page())
    assert (row.match, row.contact, row.round) == ("none", None, 1)


@pytest.mark.parametrize("match", [Match.EXPIRED, Match.FORGED, Match.FOREIGN])
def test_a_token_that_is_not_valid_binds_nothing_and_is_told_apart(
    database_url: str, opened: Opened, match: Match
) -> None:
    engine = opened(database_url)
    named = registered(engine)
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        recorder.record([settled_call(match=match, contact=named)])
    (row,) = calls(engine, Page(), None)
    assert (row.match, row.contact, row.claimed_contact) == (match, None, named)
    assert contact(engine, named, None, NOW).outcome is None


def test_a_token_of_a_contact_not_in_this_store_is_kept_as_unknown(database_url: str, opened: Opened) -> None:
    engine = opened(database_url)
    stranger = str(uuid4())
    call = settled_call(match=Match.TOKEN, contact=stranger)
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        assert recorder.record([call]) == [Recorded(call.id, call.id, "unknown", 1)]
    (row,) = calls(engine, Page(), None)
    assert (row.match, row.contact, row.claimed_contact) == ("unknown", None, stranger)


def test_a_second_call_with_one_token_is_a_follow_up_and_overwrites_nothing(database_url: str, opened: Opened) -> None:
    engine = opened(database_url)
    first = bound(engine, grade="dissatisfied")
    second = settled_call("very_satisfied", match=Match.TOKEN, contact=first.contact)
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        recorder.record([first])
        assert recorder.record([second]) == [Recorded(second.id, second.id, "token", 2)]
    assert {(row.round, row.grade) for row in evaluations(engine, Page(), first.contact)} == {
        (1, "dissatisfied"),
        (2, "very_satisfied"),
    }


def test_by_setting_a_second_grade_is_refused_and_its_call_stays(database_url: str, opened: Opened) -> None:
    engine = opened(database_url)
    first = bound(engine)
    second = settled_call("very_dissatisfied", match=Match.TOKEN, contact=first.contact)
    with closing(Recorder(database_url, "refuse", KEYS)) as recorder:
        found = recorder.record([first, second])
        assert found[1] == Refused(second.id, "already_evaluated")
        assert recorder.record([second]) == [Refused(second.id, "already_evaluated")]
    found_calls = {row.id: row for row in calls(engine, Page(), None)}
    assert found_calls[second.id].refusal == "already_evaluated"
    assert len(list(evaluations(engine, Page()))) == 1
    assert contact(engine, first.contact or "", None, NOW).outcome == "rated"


def test_a_silent_call_after_a_rating_takes_nothing_back(database_url: str, opened: Opened) -> None:
    engine = opened(database_url)
    first = bound(engine)
    second = settled_call(None, match=Match.TOKEN, contact=first.contact, ended_at=NOW + timedelta(hours=1))
    with closing(Recorder(database_url, "refuse", KEYS)) as recorder:
        recorder.record([first])
        assert recorder.record([second]) == [Recorded(second.id, None, "token", None)]
    assert contact(engine, first.contact or "", None, NOW).outcome == "rated"


def test_an_unknown_grade_is_refused_its_call_kept_and_the_rest_recorded(database_url: str, opened: Opened) -> None:
    engine = opened(database_url)
    good, odd = bound(engine), bound(engine, grade="5")
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        found = recorder.record([odd, good])
    assert found == [Refused(odd.id, "unknown_grade: '5'"), Recorded(good.id, good.id, "token", 1)]
    assert len(list(calls(engine, Page(), None))) == 2
    assert [row.id for row in evaluations(engine, Page())] == [good.id]
    assert contact(engine, odd.contact or "", None, NOW).outcome == "error"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "not a uuid"},
        {"contact": "not a uuid", "match": Match.TOKEN},
        {"started_at": datetime(2026, 11, 22)},  # noqa: DTZ001  that is the fault
        {"call_id": "a\ud800b"},
        {"node": None},
        {"attempts": 2**70},
    ],
    ids=["id", "contact", "no zone", "lone surrogate", "missing", "too large"],
)
def test_a_record_no_database_can_take_is_refused_alone(
    database_url: str, opened: Opened, changes: dict[str, Any]
) -> None:
    before, bad, after = settled_call(), settled_call(**changes), settled_call()
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        found = recorder.record([before, bad, after])
    refused = found[1]
    assert isinstance(refused, Refused)
    assert refused.id == bad.id
    assert refused.reason.startswith("malformed: ")
    assert {row.id for row in evaluations(opened(database_url), Page())} == {before.id, after.id}


batches = st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=8), min_size=1, max_size=6)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches)
def test_any_repetition_of_any_batches_gives_the_rows_of_one_delivery(
    database_url: str, opened: Opened, batches: list[list[int]]
) -> None:
    engine = opened(database_url)
    shared = registered(engine)
    grades = ["satisfied", None, "very_satisfied", "5", "dissatisfied", None, "satisfied", "basically_satisfied"]
    pool = [
        settled_call(grade, match=Match.TOKEN if place % 2 else Match.NONE, contact=shared if place % 2 else None)
        for place, grade in enumerate(grades)
    ]
    with closing(Recorder(database_url, "refuse", KEYS, clock=lambda: NOW)) as recorder:
        told: dict[str, Recorded | Refused] = {}
        for batch in batches:
            for report in recorder.record([pool[place] for place in batch]):
                assert told.setdefault(report.id, report) == report
        once = rows(engine)
        for batch in reversed(batches):
            recorder.record([pool[place] for place in reversed(batch)])
    assert rows(engine) == once
    ids = {pool[place].id for batch in batches for place in batch}
    assert ids <= {row["id"] for row in once["call"]}
    assert {name for name, report in told.items() if isinstance(report, Recorded) and report.evaluation} == ids & {
        row["id"] for row in once["evaluation"]
    }


def test_recorders_at_once_lose_nothing_double_nothing_and_count_rounds_without_gaps(
    database_url: str, opened: Opened
) -> None:
    engine = opened(database_url)
    shared = [registered(engine) for _ in range(3)]
    everything = [
        settled_call(match=Match.TOKEN, contact=shared[number % 3], ended_at=NOW + timedelta(seconds=number))
        for number in range(90)
    ]

    def deliver(start: int) -> None:
        with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
            for first in range(0, 90, 15):
                # each recorder takes another path through the same calls, half of which another takes as well
                recorder.record(everything[(first + start) % 90 :][:15])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, (0, 30, 45, 60)))
    found = list(evaluations(engine, Page()))
    assert len(found) == 90
    for each in shared:
        assert sorted(row.round for row in found if row.contact == each) == list(range(1, 31))
        assert contact(engine, each, None, NOW).outcome == "rated"


def test_a_database_that_is_down_loses_nothing_and_says_so_in_a_line() -> None:
    recorder = Recorder("postgresql://pingjia:s3cret@127.0.0.1:1/pingjia", "follow_up", KEYS)
    with closing(recorder), pytest.raises(StoreUnavailable, match="cannot be used") as caught:
        recorder.record([settled_call()])
    assert "s3cret" not in str(caught.value)


def test_a_recorder_works_again_after_its_connections_were_cut(postgres_url: str, opened: Opened) -> None:
    with closing(Recorder(postgres_url, "follow_up", KEYS)) as recorder:
        recorder.record([settled_call()])
        with writing(opened(postgres_url)) as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            )
        call = settled_call()
        assert recorder.record([call]) == [Recorded(call.id, call.id, "none", 1)]


def test_a_right_not_granted_is_a_fault_to_retry_not_a_poisoned_call(postgres_url: str, opened: Opened) -> None:
    with writing(opened(postgres_url)) as connection:
        connection.execute(text("CREATE ROLE reader LOGIN"))
        connection.execute(text("GRANT SELECT ON alembic_version TO reader"))
    with (
        closing(Recorder(postgres_url.replace("postgres@", "reader@"), "follow_up", KEYS)) as recorder,
        pytest.raises(StoreUnavailable, match="permission denied"),
    ):
        recorder.record([settled_call()])


def test_an_older_schema_is_refused_and_recording_goes_on_once_it_was_upgraded(
    database_url: str, opened: Opened
) -> None:
    engine = opened(database_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with closing(Recorder(database_url, "follow_up", KEYS)) as recorder:
        with pytest.raises(SchemaTooOld, match="db upgrade"):
            recorder.record([settled_call()])
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{REVISION}'"))
        assert isinstance(recorder.record([settled_call()])[0], Recorded)
