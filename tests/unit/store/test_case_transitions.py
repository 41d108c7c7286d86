"""The case's table: what leads where, who may, and what never happens whatever people try."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.calendar import WorkCalendar
from store.case import (
    Act,
    Case,
    CaseRefused,
    Deadlines,
    Event,
    Objection,
    ObjectionState,
    Reason,
    Refusal,
    Role,
    State,
    deadlines,
    same_person,
)
from store.case_transitions import TRANSITIONS, advance, begin, fold, possible
from store.deadline import Deadline

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DUE = deadlines(AT, WorkCalendar())
OPENED = Event(Act.OPEN, "system", Role.SYSTEM, AT, deadlines=DUE, evaluation="e1")
PERSONS = ("wang", "li", "zhao")


def event(act: Act, role: Role, actor: str = "wang", **changes: Any) -> Event:
    """An act with everything it could need."""
    whole = Event(
        act,
        actor,
        role,
        AT + timedelta(hours=1),
        noted=True,
        reason=Reason.MISJUDGED,
        evidence="ab" * 32,
        deadlines=deadlines(AT + timedelta(days=9), WorkCalendar()),
        decision=Deadline(AT + timedelta(days=5)),
        evaluation="e2",
    )
    return replace(whole, **changes)


def case_after(*steps: tuple[Act, Role] | Event) -> Case:
    case = begin(OPENED)
    for step in steps:
        case = advance(case, step if isinstance(step, Event) else event(*step))
    return case


def verifying() -> Case:
    return case_after((Act.VERIFY, Role.CASE_TEAM))


def proposed() -> Case:
    return case_after((Act.VERIFY, Role.CASE_TEAM), (Act.PROPOSE, Role.CASE_TEAM))


def refusal(case: Case, attempt: Event) -> Refusal:
    with pytest.raises(CaseRefused) as caught:
        advance(case, attempt)
    assert "\n" not in str(caught.value)
    return caught.value.refusal


# which of the possible acts, by whom, how late, and what is left out of it
TRIES = st.tuples(
    st.integers(0, 40), st.sampled_from(PERSONS), st.integers(0, 400), st.sampled_from(["", "", "noted", "evidence"])
)
IDLE = (Act.NOTE, Act.RECOUNT, Act.ASK_AGAIN, Act.EVALUATED_AGAIN)


def trial(case: Case, tried: tuple[int, str, int, str]) -> Event:
    choice, actor, hours, left_out = tried
    acts = [(act, role) for role in Role for act in possible(case, role)]
    leading = [pair for pair in acts if pair[0] not in IDLE] * 4  # most walks should get somewhere
    act, role = (leading + acts)[choice % len(leading + acts)]
    step = event(act, role, actor, at=AT + timedelta(hours=hours))
    return replace(step, **{left_out: False if left_out == "noted" else None}) if left_out else step


@st.composite
def walks(draw: st.DrawFn) -> list[Event]:
    """A legal history; what was tried and refused on the way is not in it."""
    history, case = [OPENED], begin(OPENED)
    for tried in draw(st.lists(TRIES, min_size=5, max_size=30)):
        step = trial(case, tried)
        try:
            case = advance(case, step)
        except CaseRefused:
            continue
        history.append(step)
    return history


def test_the_way_of_a_rectified_case() -> None:
    team, department = Role.CASE_TEAM, Role.DEPARTMENT
    case = case_after(
        (Act.VERIFY, team),
        (Act.CALL_BACK, team),
        (Act.RECTIFY, team),
        (Act.RECTIFIED, department),
        (Act.ASK_AGAIN, Role.SYSTEM),
        (Act.CALL_BACK, team),
        (Act.CLOSE, team),
    )
    assert (case.state, case.over, case.adopted, case.seq) == (State.CLOSED, True, True, 8)
    assert case.called_back_at == case.rectified_at == case.closed_at == AT + timedelta(hours=1)


def test_the_first_call_back_is_the_one_of_the_48_hours() -> None:
    later = event(Act.CALL_BACK, Role.CASE_TEAM, at=AT + timedelta(days=3))
    case = advance(advance(verifying(), event(Act.CALL_BACK, Role.CASE_TEAM)), later)
    assert case.called_back_at == AT + timedelta(hours=1)


def test_not_adopted_takes_two_persons_and_the_second_is_a_reviewer() -> None:
    assert refusal(proposed(), event(Act.CONFIRM, Role.REVIEWER, "wang")) is Refusal.NEEDS_OTHER_PERSON
    assert refusal(proposed(), event(Act.CONFIRM, Role.REVIEWER, " ＷANG ")) is Refusal.NEEDS_OTHER_PERSON
    assert refusal(proposed(), event(Act.CONFIRM, Role.CASE_TEAM, "li")) is Refusal.NOT_YOURS
    case = advance(proposed(), event(Act.CONFIRM, Role.REVIEWER, "li"))
    assert (case.state, case.adopted, case.reason) == (State.NOT_ADOPTED, False, Reason.MISJUDGED)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ({"noted": False}, Refusal.NEEDS_NOTE),
        ({"reason": None}, Refusal.NEEDS_REASON),
        ({"evidence": None}, Refusal.NEEDS_EVIDENCE),
    ],
)
def test_a_proposal_not_to_adopt_needs_words_a_reason_and_evidence(missing: dict[str, Any], told: Refusal) -> None:
    assert refusal(verifying(), event(Act.PROPOSE, Role.CASE_TEAM, **missing)) is told


def test_a_declined_proposal_leaves_no_trace_on_the_case() -> None:
    case = advance(proposed(), event(Act.DECLINE, Role.REVIEWER, "li"))
    assert (case.state, case.adopted, case.proposer, case.reason) == (State.VERIFYING, True, None, None)


def test_an_evaluators_word_counts_again_when_it_reopens_a_case() -> None:
    closed = [(Act.CALL_BACK, Role.CASE_TEAM), (Act.CLOSE, Role.CASE_TEAM)]
    case = advance(proposed(), event(Act.CONFIRM, Role.REVIEWER, "li"))
    for act, role in closed:
        case = advance(case, event(act, role))
    case = advance(case, event(Act.REOPEN, Role.EVALUATOR, noted=False, evaluation="e2"))
    assert (case.state, case.cycle, case.adopted, case.evaluation) == (State.REOPENED, 2, True, "e2")
    assert (case.called_back_at, case.closed_at, case.objection.state) == (None, None, ObjectionState.NONE)
    assert case.deadlines.call_back.at > DUE.call_back.at


def test_an_evaluator_nobody_can_reach_does_not_keep_a_case_open_for_ever() -> None:
    case = case_after((Act.VERIFY, Role.CASE_TEAM), (Act.EXPLAIN, Role.CASE_TEAM))
    for tried in range(3):
        assert case.attempts == tried
        assert refusal(case, event(Act.CLOSE_UNREACHED, Role.CASE_TEAM)) is Refusal.NEEDS_ATTEMPTS
        case = advance(case, event(Act.ATTEMPT, Role.CASE_TEAM))
    assert advance(case, event(Act.CLOSE_UNREACHED, Role.CASE_TEAM)).state is State.CLOSED


def test_calls_tried_while_verifying_do_not_count_for_closing() -> None:
    tried = [(Act.ATTEMPT, Role.CASE_TEAM)] * 3
    assert case_after((Act.VERIFY, Role.CASE_TEAM), *tried, (Act.EXPLAIN, Role.CASE_TEAM)).attempts == 0


def test_an_objection_is_made_in_time_once_and_by_the_department() -> None:
    last = DUE.objection.at
    objected = advance(verifying(), event(Act.OBJECT, Role.DEPARTMENT, at=last))
    assert (objected.state, objected.objection.state) == (State.VERIFYING, ObjectionState.FILED)
    late = event(Act.OBJECT, Role.DEPARTMENT, at=last + timedelta(microseconds=1))
    assert refusal(verifying(), late) is Refusal.OBJECTION_LATE
    assert refusal(objected, event(Act.OBJECT, Role.DEPARTMENT)) is Refusal.OBJECTION_MADE
    assert refusal(verifying(), event(Act.OBJECT, Role.CASE_TEAM)) is Refusal.NOT_YOURS


def test_a_supposed_deadline_refuses_no_objection() -> None:
    supposed = replace(DUE, objection=replace(DUE.objection, provisional=True))
    case = begin(replace(OPENED, deadlines=supposed))
    late = event(Act.OBJECT, Role.DEPARTMENT, at=DUE.objection.at + timedelta(days=3))
    assert advance(case, late).objection.state is ObjectionState.FILED


def test_nothing_is_closed_over_an_open_objection() -> None:
    case = case_after((Act.VERIFY, Role.CASE_TEAM), (Act.EXPLAIN, Role.CASE_TEAM), (Act.CALL_BACK, Role.CASE_TEAM))
    case = advance(case, event(Act.OBJECT, Role.DEPARTMENT, "dept"))
    assert refusal(case, event(Act.CLOSE, Role.CASE_TEAM)) is Refusal.OBJECTION_OPEN
    decided = advance(case, event(Act.REJECT, Role.REVIEWER, "li"))
    assert advance(decided, event(Act.CLOSE, Role.CASE_TEAM)).state is State.CLOSED


def test_an_upheld_objection_is_a_proposal_that_another_reviewer_confirms() -> None:
    objected = advance(verifying(), event(Act.OBJECT, Role.DEPARTMENT, "dept"))
    assert refusal(objected, event(Act.UPHOLD, Role.REVIEWER, "dept")) is Refusal.NEEDS_OTHER_PERSON
    upheld = advance(objected, event(Act.UPHOLD, Role.REVIEWER, "li", evidence=None))
    assert (upheld.state, upheld.objection.state) == (State.PROPOSED, ObjectionState.UPHELD)
    for first in ("li", "dept"):
        assert refusal(upheld, event(Act.CONFIRM, Role.REVIEWER, first)) is Refusal.NEEDS_OTHER_PERSON
    assert not advance(upheld, event(Act.CONFIRM, Role.REVIEWER, "zhao")).adopted


def test_an_objection_that_was_not_made_cannot_be_decided() -> None:
    assert refusal(verifying(), event(Act.UPHOLD, Role.REVIEWER, "li")) is Refusal.NOT_NOW
    assert refusal(verifying(), event(Act.REJECT, Role.REVIEWER, "li")) is Refusal.NOT_NOW
    assert Act.UPHOLD not in possible(verifying(), Role.REVIEWER)


def test_a_case_begins_only_by_being_opened() -> None:
    for act in set(Act) - {Act.OPEN}:
        with pytest.raises(CaseRefused):
            begin(event(act, Role.SYSTEM))
    assert not any(act is Act.OPEN for _, act in TRANSITIONS)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_what_the_table_does_not_allow_is_refused_by_its_own_name(state: State, role: Role) -> None:
    objected = Objection(ObjectionState.FILED, "dept", AT)
    for act in set(Act) - {Act.OPEN}:
        case = replace(begin(OPENED), state=state, proposer="first", attempts=9)
        if act in (Act.UPHOLD, Act.REJECT):
            case = replace(case, objection=objected)
        move = TRANSITIONS.get((state, act))
        if move is None:
            assert refusal(case, event(act, role)) is Refusal.NOT_NOW
        elif role in move.roles:
            assert advance(case, event(act, role)).state is (move.to or state)
        else:
            assert refusal(case, event(act, role)) is Refusal.NOT_YOURS


def test_every_state_can_be_left_or_is_the_end_and_every_state_can_be_reached() -> None:
    reached = {State.RECEIVED}
    for _ in State:
        reached |= {move.to for (state, _), move in TRANSITIONS.items() if state in reached and move.to}
    assert reached == set(State)
    ends = {State.CLOSED}
    for _ in State:
        ends |= {state for (state, _), move in TRANSITIONS.items() if move.to in ends}
    assert ends == set(State)


def test_an_evaluator_and_the_system_never_decide_a_case() -> None:
    leads = {(act, role) for (_, act), move in TRANSITIONS.items() if move.to for role in move.roles}
    assert {act for act, role in leads if role is Role.EVALUATOR} == {Act.REOPEN}
    assert not any(role is Role.SYSTEM for _, role in leads)


def test_the_department_never_moves_a_case_towards_not_adopted_or_closed() -> None:
    ends = {move.to for move in TRANSITIONS.values() if Role.DEPARTMENT in move.roles}
    assert ends == {None, State.RECTIFIED}


@given(walks())
def test_every_event_of_a_history_counts(history: list[Event]) -> None:
    assert fold(history).seq == len(history)


@given(walks())
def test_whatever_people_try_these_things_hold(history: list[Event]) -> None:
    cases = [fold(history[:count]) for count in range(1, len(history) + 1)]
    for before, step, after in zip(cases, history[1:], cases[1:], strict=False):
        if before.adopted and not after.adopted:
            assert step.act is Act.CONFIRM
            assert not same_person(before.proposer, step.actor)
            assert after.reason
        if before.state is State.CLOSED and after.state is not State.CLOSED:
            assert step.act in (Act.REOPEN, Act.UPHOLD)
        if after.state is State.CLOSED and step.act in (Act.CLOSE, Act.CLOSE_UNREACHED):
            assert after.objection.state is not ObjectionState.FILED
            assert after.called_back_at or before.attempts >= 3
        if before.cycle == after.cycle and before.called_back_at:
            assert after.called_back_at == before.called_back_at
    assert cases[-1].cycle == 1 + sum(step.act is Act.REOPEN for step in history)
    assert (cases[-1].closed_at is not None) >= (cases[-1].state is State.CLOSED)


@given(walks(), st.sampled_from(Act), st.sampled_from(Role), st.sampled_from(PERSONS))
def test_whatever_is_tried_leads_on_by_one_event_or_is_refused(
    history: list[Event], act: Act, role: Role, actor: str
) -> None:
    case = fold(history)
    try:
        after = advance(case, event(act, role, actor))
    except CaseRefused:
        assert case == fold(history)
    else:
        assert after.seq == case.seq + 1
        assert (case.state, act) in TRANSITIONS


def test_deadlines_are_provisional_as_soon_as_one_is() -> None:
    assert not DUE.provisional
    assert deadlines(datetime(2026, 12, 30, tzinfo=UTC), WorkCalendar()).provisional
    assert isinstance(deadlines(AT, WorkCalendar(), roll=True), Deadlines)
