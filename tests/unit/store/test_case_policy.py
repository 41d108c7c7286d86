"""Deadlines counted again when a year's days are published."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from test_calendar import YEAR_2027
from test_case_transitions import OPENED

from store.calendar import WorkCalendar, read_year
from store.case import Act, Event, Role
from store.case_policy import Policy
from store.case_transitions import advance, begin

RECEIVED = datetime(2026, 12, 30, 2, tzinfo=UTC)
GUESSED = Policy()
NOW = RECEIVED + timedelta(days=1)


def with_year(text: str = YEAR_2027) -> Policy:
    return Policy(WorkCalendar([read_year(text, "2027.yaml")]))


CASE = begin(replace(OPENED, at=RECEIVED, deadlines=GUESSED.deadlines(RECEIVED)))


def test_nothing_is_recounted_while_nothing_is_published() -> None:
    assert CASE.deadlines.provisional
    assert GUESSED.recounted(CASE, NOW) is None


def test_a_year_file_settles_a_deadline_even_where_the_guess_was_right() -> None:
    found = with_year().recounted(CASE, NOW)
    assert found is not None
    due, decision = found
    assert due.objection == replace(CASE.deadlines.objection, provisional=False)
    assert decision is None
    settled = advance(CASE, Event(Act.RECOUNT, "system", Role.SYSTEM, NOW, deadlines=due))
    assert not settled.deadlines.provisional
    assert with_year().recounted(settled, NOW) is None


def test_a_year_file_may_bring_a_deadline_forward_while_it_is_still_ahead() -> None:
    worked_saturday = YEAR_2027.replace("2027-01-01/2027-01-03", "2027-01-01").replace("2027-02-14", "2027-01-02")
    policy = with_year(worked_saturday)
    found = policy.recounted(CASE, NOW)
    assert found is not None
    assert found[0].objection.at == CASE.deadlines.objection.at - timedelta(days=2)
    over = policy.recounted(CASE, found[0].objection.at)
    assert over is not None
    assert over[0].objection.at == CASE.deadlines.objection.at
    assert not over[0].objection.provisional


def test_when_an_objection_is_to_be_decided_is_recounted_too() -> None:
    objected = Event(Act.OBJECT, "dept", Role.DEPARTMENT, NOW, noted=True, decision=GUESSED.decision_due(NOW))
    case = advance(CASE, objected)
    assert case.objection.due
    assert case.objection.due.provisional
    found = with_year().recounted(case, NOW)
    assert found is not None
    assert found[1] is not None
    assert not found[1].provisional
