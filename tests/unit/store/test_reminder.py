"""Reminders before and after each deadline, to the one whose delay it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from test_case_transitions import AT, DUE, case_after, event, proposed, verifying, walks

from store.case import Act, Event, Role
from store.case_transitions import advance, fold
from store.reminder import Ahead, Duty, When, next_due, reminders, to_give, wake_at

AHEAD = Ahead(timedelta(hours=12), timedelta(days=3), timedelta(hours=24))


def told(*steps: tuple[Act, Role]) -> set[tuple[Duty, When, Role]]:
    return {(each.duty, each.when, each.to) for each in reminders(case_after(*steps), AHEAD)}


def test_a_new_case_is_reminded_of_before_and_after_each_of_its_deadlines() -> None:
    found = {(each.duty, each.when): (each.due, each.at) for each in reminders(case_after(), AHEAD)}
    call_back, rectify, objection = DUE.call_back.at, DUE.rectify.at, DUE.objection.at
    assert found == {
        (Duty.CALL_BACK, When.BEFORE): (call_back, call_back - timedelta(hours=12)),
        (Duty.CALL_BACK, When.AFTER): (call_back, call_back),
        (Duty.RECTIFY, When.BEFORE): (rectify, rectify - timedelta(days=3)),
        (Duty.RECTIFY, When.AFTER): (rectify, rectify),
        (Duty.OBJECT, When.BEFORE): (objection, objection - timedelta(hours=24)),
        (Duty.OBJECT, When.AFTER): (objection, objection),
    }


def test_what_is_done_is_not_reminded_of() -> None:
    team = Role.CASE_TEAM
    assert not {duty for duty, _, _ in told((Act.VERIFY, team), (Act.CALL_BACK, team))} & {Duty.CALL_BACK}
    assert {duty for duty, _, _ in told((Act.VERIFY, team), (Act.EXPLAIN, team))} == {Duty.CALL_BACK, Duty.OBJECT}


def test_the_department_is_reminded_of_rectifying_once_it_has_the_case() -> None:
    team = Role.CASE_TEAM
    assert (Duty.RECTIFY, When.AFTER, team) in told((Act.VERIFY, team))
    assert (Duty.RECTIFY, When.AFTER, Role.DEPARTMENT) in told((Act.VERIFY, team), (Act.RECTIFY, team))


def test_an_objection_is_to_be_decided_by_the_reviewer_even_of_a_closed_case() -> None:
    team = Role.CASE_TEAM
    closed = ((Act.VERIFY, team), (Act.EXPLAIN, team), (Act.CALL_BACK, team), (Act.CLOSE, team))
    assert told(*closed) == set()
    case = advance(case_after(*closed), event(Act.OBJECT, Role.DEPARTMENT, "dept"))
    assert {(each.duty, each.to) for each in reminders(case, AHEAD)} == {(Duty.DECIDE, Role.REVIEWER)}
    assert next_due(case) == AT + timedelta(days=5)


def test_the_next_thing_due_is_somebodys_duty_not_somebodys_right() -> None:
    case = case_after((Act.VERIFY, Role.CASE_TEAM), (Act.CALL_BACK, Role.CASE_TEAM))
    assert DUE.objection.at < DUE.rectify.at
    assert next_due(case) == DUE.rectify.at
    assert next_due(verifying()) == DUE.call_back.at
    assert next_due(proposed()) == DUE.call_back.at


def test_a_reminder_is_never_older_than_what_it_reminds_of() -> None:
    long_ahead = Ahead(timedelta(days=30), timedelta(days=30), timedelta(days=30))
    assert min(each.at for each in reminders(case_after(), long_ahead)) == AT


@given(walks())
def test_nothing_is_reminded_of_twice(history: list[Event]) -> None:
    found = reminders(fold(history), AHEAD)
    assert len({(each.duty, each.when) for each in found}) == len(found)
    assert [each.at for each in found] == sorted(each.at for each in found)


def test_a_deadline_that_moved_is_reminded_of_anew() -> None:
    moved = replace(DUE, objection=replace(DUE.objection, at=datetime(2026, 12, 1, tzinfo=UTC)))
    case = advance(case_after(), event(Act.RECOUNT, Role.SYSTEM, deadlines=moved))
    assert datetime(2026, 12, 1, tzinfo=UTC) in {each.due for each in reminders(case, AHEAD)}


@given(walks())
def test_every_reminder_is_given_once_to_whoever_wakes_when_told(history: list[Event]) -> None:
    case, given, now = fold(history), set(), AT
    while (at := wake_at(case, AHEAD, given, now)) is not None:
        now = max(now, at)
        due = {(each.duty, each.when, each.due) for each in to_give(case, AHEAD, given, now)}
        assert due
        assert not due & given
        given |= due
    assert {each for each in given if each[1] == When.AFTER} == {
        (each.duty, each.when, each.due) for each in reminders(case, AHEAD) if each.when is When.AFTER
    }


def test_after_a_stop_nobody_is_reminded_of_what_is_yet_to_come_and_is_over() -> None:
    late = DUE.call_back.at + timedelta(hours=1)
    found = {(each.duty, each.when) for each in to_give(case_after(), AHEAD, (), late)}
    assert (Duty.CALL_BACK, When.AFTER) in found
    assert (Duty.CALL_BACK, When.BEFORE) not in found
