"""What the proof finds: the shipped flows hold, and each broken twin is caught with a conversation that shows it."""

from collections.abc import Callable, Mapping

import pytest

from ivr.flow import exploration, storing
from ivr.flow.actions import Action, End, HangUp, Play
from ivr.flow.call import Call
from ivr.flow.checks import Finding, Proof, check
from ivr.flow.conversation import event_words, lines
from ivr.flow.engine import TRANSITIONS, Engine
from ivr.flow.events import AnswerStored, Event, KeyPressed, PromptFinished, Timer
from ivr.flow.loader import load
from ivr.flow.model import Flow
from ivr.flow.situation import State
from store.grade import Grade

Twin = Callable[..., str]
Durations = Mapping[tuple[str, str], float]
GRADES = {"grade": [grade.value for grade in Grade]}


def proof_of(text: str, durations: Durations) -> Proof:
    return check(load(None, text), durations, GRADES)


def only(proof: Proof) -> Finding:
    assert len(proof.findings) == 1, [finding.message for finding in proof.findings]
    return proof.findings[0]


def events_of(finding: Finding) -> list[str]:
    return [event_words(happening.event) for happening in finding.conversation]


def plays_of(finding: Finding) -> list[str]:
    played = [action for one in finding.conversation for action in one.actions if isinstance(action, Play)]
    return [prompt for play in played for prompt in play.prompts]


def test_the_shipped_flow_holds(shipped: Flow, durations: Durations) -> None:
    proof = check(shipped, durations, GRADES)
    assert proof.holds, [finding.message for finding in proof.findings]
    assert proof.outcomes == ("error", "hung_up", "invalid", "rated", "silent")
    assert proof.states > 1000
    assert proof.longest_seconds is not None
    assert shipped.maximum_seconds >= proof.longest_seconds == proof.longest[-1].at_seconds


def test_a_flow_with_branches_languages_and_recordings_holds(small_extended_text: str, durations: Durations) -> None:
    """The extended flow itself is proved with its recordings, in the integration ring."""
    proof = proof_of(small_extended_text, durations)
    assert proof.holds, [finding.message for finding in proof.findings]
    assert proof.outcomes == ("error", "hung_up", "invalid", "rated", "silent")


def test_the_good_call_is_the_question_the_answer_said_back_the_window_and_thanks(
    twin: Twin, durations: Durations
) -> None:
    proof = proof_of(twin(), durations)
    assert proof.holds
    assert proof.good_call_seconds == {"zh-CN": pytest.approx(13.0 + 2.0 + 2.0 + 2.0 + 2.0 + 3.5)}


def test_the_longest_call_is_a_call_the_engine_really_lets_happen(twin: Twin, durations: Durations) -> None:
    flow = load(None, twin())
    proof = check(flow, durations, GRADES)
    engine = Engine(flow)
    for happening in proof.longest:
        assert tuple(engine.handle(happening.event)) == happening.actions
    assert engine.outcome is not None


NO_END = ("silent: {say: silent, end: silent}", "silent: {say: silent, next: grade}")


def test_a_circle_is_found_and_told(twin: Twin, durations: Durations) -> None:
    proof = proof_of(twin(NO_END), durations)
    assert proof.longest_seconds is None
    assert "a call can go on for ever" in only(proof).message
    assert plays_of(only(proof)) == ["ask", "ask_again", "ask_slowly", "silent", "ask"]


def test_two_nodes_that_say_things_to_each_other_for_ever_are_a_circle(twin: Twin, durations: Durations) -> None:
    text = twin(
        ("thanks: {say: thanks, end: rated}", "thanks: {say: thanks, next: more}\n  more: {say: heard, next: thanks}")
    )
    assert any("for ever" in finding.message for finding in proof_of(text, durations).findings)


def test_a_call_longer_than_its_maximum_is_told_as_the_longest(twin: Twin, durations: Durations) -> None:
    proof = proof_of(twin(("maximum_seconds: 360", "maximum_seconds: 60")), durations)
    finding = only(proof)
    assert "more than maximum_seconds (60)" in finding.message
    assert finding.conversation == proof.longest
    assert finding.conversation[-1].at_seconds > 60


def test_a_good_call_that_takes_too_long_is_found(twin: Twin, durations: Durations) -> None:
    finding = only(proof_of(twin(("{zh-CN: 27}", "{zh-CN: 20}")), durations))
    assert finding.message == "a good call in zh-CN lasts 24.5 s, more than 20"


def test_a_node_nobody_reaches_is_found(twin: Twin, durations: Durations) -> None:
    text = twin(("thanks: {", "forgotten: {say: fault, end: error}\n  thanks: {"))
    assert only(proof_of(text, durations)).message == "no call ever reaches node `forgotten`"


def test_a_branch_nobody_reaches_is_found_and_one_passed_through_is_not(
    small_extended_text: str, durations: Durations
) -> None:
    text = small_extended_text.replace(": how_was_it", ": thanks").replace("next: how_was_it", "next: thanks")
    found = [finding.message for finding in proof_of(text, durations).findings]
    assert found == [f"no call ever reaches node `{name}`" for name in ("how_was_it", "comment", "call_back")]


def test_a_prompt_missing_in_one_language_is_found_with_the_call_that_meets_it(
    shipped: Flow, durations: Durations
) -> None:
    known = {key: seconds for key, seconds in durations.items() if key != ("en", "ask_slowly")}
    finding = only(check(shipped, known, GRADES))
    assert finding.message == "prompt `ask_slowly` is not recorded in en"
    assert events_of(finding)[0] == "answered en"
    assert finding.conversation[-1].actions[-1] == Play(3, ("ask_slowly",), "en")


def test_a_grade_without_a_key_is_found(twin: Twin, durations: Durations) -> None:
    proof = proof_of(twin(('      "4": dissatisfied\n', "")), durations)
    assert only(proof).message == "no key of question `grade` stands for `dissatisfied`"


def test_an_answer_that_is_no_grade_is_found(twin: Twin, durations: Durations) -> None:
    known = {**durations, ("zh-CN", "grade_splendid"): 1.0}
    proof = proof_of(twin(('"4": dissatisfied', '"4": dissatisfied\n      "6": splendid')), known)
    assert "`splendid` is no answer that `grade` may have" in only(proof).message


def test_a_question_never_asked_and_an_answer_never_reached_are_found(
    small_extended_text: str, durations: Durations
) -> None:
    text = small_extended_text.replace("otherwise: thanks", "otherwise: silent").replace(
        "    next: call_back", "    next: thanks"
    )
    required = {"call_back": ["yes", "no"], "waited": ["yes"]}
    found = [finding.message for finding in check(load(None, text), durations, required).findings]
    assert "no caller can ever answer `yes` to question `call_back`" in found
    assert "the flow never asks `waited`" in found
    assert "no call ever reaches node `call_back`" in found


def test_a_rating_nobody_gave_is_found_with_the_call_that_invents_it(twin: Twin, durations: Durations) -> None:
    """What one district's flow really did: silence was recorded as a grade."""
    found = proof_of(twin(("noinput: silent", "noinput: thanks")), durations).findings
    invented = next(one for one in found if one.message == "a call in which nobody rated ends as `rated`")
    assert "timer 3 noinput fired" in events_of(invented)
    assert not [event for event in events_of(invented) if event.startswith("answer ")]


def test_a_rating_that_is_dropped_is_found_with_the_call_that_loses_it(twin: Twin, durations: Durations) -> None:
    found = proof_of(twin(("thanks: {say: thanks, end: rated}", "thanks: {say: thanks, end: invalid}")), durations)
    lost = only(found)
    assert lost.message == "a call in which a rating was given ends as `invalid`"
    assert "answer 2 stored" in events_of(lost)


def test_of_a_flow_too_large_to_explore_nothing_else_is_said(
    twin: Twin, durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exploration, "MOST_PLACES", 50)
    assert "too many to prove anything" in only(proof_of(twin(), durations)).message


# The proof is about the engine that takes the calls: an engine that is broken is found out by it.


def broken(monkeypatch: pytest.MonkeyPatch, state: State, trigger: object, move: object) -> None:
    assert isinstance(TRANSITIONS, dict)
    monkeypatch.setitem(TRANSITIONS, (state, trigger), move)


def finds(twin: Twin, durations: Durations, sentence: str) -> bool:
    """Whether the proof says so of the present engine, and tells a conversation."""
    found = proof_of(twin(), durations).findings
    return any(sentence in finding.message and list(lines(finding.conversation)) for finding in found)


def test_an_engine_that_thanks_before_the_disk_has_spoken_is_found_out(
    twin: Twin, durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def thank_at_once(call: Call, pending: storing.Pending) -> list[Action]:
        return [*stored(call, pending), Play(call.at.attempt + 1, ("thanks",), "zh-CN")]

    stored = storing.to_journal
    monkeypatch.setattr(storing, "to_journal", thank_at_once)
    assert finds(twin, durations, "speaks before the journal has")


def test_an_engine_that_talks_over_itself_is_found_out(
    twin: Twin, durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk_over(call: Call, _: Event) -> list[Action]:
        return [Play(call.at.attempt + 1, ("thanks",), "zh-CN")]

    broken(monkeypatch, State.CONFIRMING, KeyPressed, talk_over)
    assert finds(twin, durations, "plays over another prompt")


def test_an_engine_that_goes_on_after_the_end_is_found_out(
    twin: Twin, durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_too_early(call: Call, _: Event) -> list[Action]:
        return [*call.end(), HangUp(), End("rated")]

    broken(monkeypatch, State.CLOSING, PromptFinished, end_too_early)
    assert finds(twin, durations, "comes after the end")


def test_an_engine_that_forgets_to_react_is_found_out(
    twin: Twin, durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, State.COLLECTING, Timer.NOINPUT, lambda _call, _event: [])
    assert finds(twin, durations, "waits for nothing at node `grade`")


def test_an_engine_that_leaves_a_timer_running_is_found_out(
    twin: Twin, durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(call: Call, event: Event) -> list[Action]:
        return [action for action in storing.stored(call, event) if isinstance(action, Play)]

    broken(monkeypatch, State.STORING, AnswerStored, forget)
    assert finds(twin, durations, "was left running")


def test_an_engine_that_listens_to_stale_events_is_found_out(
    twin: Twin, durations: Durations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Call, "awaits", lambda _call, _event: True)
    assert finds(twin, durations, "a stale or impossible event changed the call")
