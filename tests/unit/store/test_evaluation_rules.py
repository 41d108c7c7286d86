"""What a call's grade becomes, and what a call does to its contact's outcome."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.call import GivenAnswer, Match, Outcome, SettledCall
from store.contact import Kind, NewContact, Standing, after_call, contact_number, outcome_at
from store.evaluation import Earlier, Given, NotTaken, Repeat, bind, judge
from store.grade import Grade

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
CONTACT = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def call(*answers: tuple[str, str], match: Match = Match.TOKEN, contact: str | None = CONTACT) -> SettledCall:
    return SettledCall(
        id="00000000-0000-4000-8000-000000000001",
        call_id="a@b",
        node="node-1",
        flow="post_call_survey",
        flow_version="1+abc",
        language="zh-CN",
        started_at=NOW,
        answered_at=NOW,
        ended_at=NOW + timedelta(seconds=20),
        ended_by="service",
        outcome="rated",
        attempts=1,
        match=match,
        contact=contact,
        caller=None,
        trunk=None,
        answers=tuple(GivenAnswer(question, answer, "2", NOW, {}) for question, answer in answers),
    )


@pytest.mark.parametrize("grade", list(Grade))
def test_a_grade_is_a_first_evaluation_whatever_else_was_asked(grade: Grade) -> None:
    judged = judge(call(("solved", "yes"), ("grade", grade)), earlier=Earlier(), repeat=Repeat.REFUSE)
    assert isinstance(judged, Given)
    assert (judged.grade, judged.round) == (grade, 1)


def test_silence_is_no_grade() -> None:
    assert judge(replace(call(), outcome="silent"), earlier=Earlier(), repeat=Repeat.FOLLOW_UP) is None
    hung_up = replace(call(("solved", "no")), outcome="hung_up")
    assert judge(hung_up, earlier=Earlier(3), repeat=Repeat.REFUSE) is None


def test_a_call_that_claims_a_rating_without_a_grade_is_not_passed_over() -> None:
    judged = judge(call(("rating", "satisfied")), earlier=Earlier(), repeat=Repeat.FOLLOW_UP)
    assert judged == NotTaken("rated_without_grade")


@pytest.mark.parametrize("answer", ["2", "5", "Satisfied", "good", ""])
def test_a_grade_nobody_knows_is_not_guessed(answer: str) -> None:
    judged = judge(call(("grade", answer)), earlier=Earlier(), repeat=Repeat.FOLLOW_UP)
    assert judged == NotTaken(f"unknown_grade: {answer!r}")


def test_a_second_grade_is_the_next_round_or_refused_by_setting() -> None:
    second = call(("grade", "satisfied"))
    follow_up = judge(second, earlier=Earlier(1), repeat=Repeat.FOLLOW_UP)
    assert isinstance(follow_up, Given)
    assert follow_up.round == 2
    assert judge(second, earlier=Earlier(1), repeat=Repeat.REFUSE) == NotTaken("already_evaluated")


@pytest.mark.parametrize("match", [match for match in Match if match is not Match.TOKEN])
def test_only_a_valid_token_binds(match: Match) -> None:
    assert bind(call(match=match), known=True) == (match, None)


def test_a_token_for_a_contact_this_store_does_not_hold_is_unknown() -> None:
    assert bind(call(), known=True) == (Match.TOKEN, CONTACT)
    assert bind(call(), known=False) == (Match.UNKNOWN, None)


moments = st.integers(0, 5).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(
    st.lists(st.tuples(st.sampled_from(["rated", "silent", "hung_up"]), moments), max_size=4, unique_by=lambda x: x[1])
)
def test_a_contacts_outcome_does_not_depend_on_the_order_of_delivery(calls: list[tuple[str, datetime]]) -> None:
    found = set()
    for order in permutations(calls):
        standing = Standing(None, None)
        for outcome, ended_at in order:
            standing = after_call(standing, outcome, ended_at)
        found.add(standing)
    assert len(found) == 1
    standing = found.pop()
    outcomes = [outcome for outcome, _ in sorted(calls, key=lambda call: call[1])]
    assert standing.outcome == ("rated" if "rated" in outcomes else outcomes[-1] if outcomes else None)


def test_a_contact_nobody_called_was_not_offered_once_its_token_ran_out() -> None:
    assert outcome_at(None, NOW, NOW - timedelta(seconds=1)) is None
    assert outcome_at(None, NOW, NOW) == Outcome.NOT_OFFERED
    assert outcome_at("silent", NOW, NOW) == "silent"


def test_a_consultation_needs_no_work_order_and_gets_a_number_of_its_civil_day() -> None:
    assert NewContact().settled_kind is Kind.CONSULTATION
    assert NewContact(work_order="WO1").settled_kind is Kind.WORK_ORDER
    just_past_midnight_in_siping = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    assert contact_number(CONTACT, just_past_midnight_in_siping) == "PJ20261122-CF4FC964FF"


def test_a_grade_the_caller_heard_an_apology_for_is_no_evaluation() -> None:
    apologised = replace(call(("grade", "satisfied")), outcome="error")
    assert judge(apologised, earlier=Earlier(), repeat=Repeat.FOLLOW_UP) is None
