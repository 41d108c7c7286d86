"""What the engine promises a caller and its gateway, one promise at a time."""

import pytest

from ivr.flow.actions import (
    Action,
    CancelTimer,
    End,
    HangUp,
    Play,
    Record,
    StartTimer,
    StopPrompt,
    StopRecording,
    StoreAnswer,
)
from ivr.flow.engine import TRANSITIONS, Engine
from ivr.flow.events import (
    Answered,
    AnswerNotStored,
    AnswerStored,
    Event,
    HungUp,
    KeyPressed,
    PromptFailed,
    PromptFinished,
    RecordingFailed,
    RecordingFinished,
    Timer,
    TimerFired,
)
from ivr.flow.loader import load
from ivr.flow.model import Flow
from ivr.flow.situation import Given, State
from ivr.flow.storing import JOURNAL_SECONDS

JOURNAL = StartTimer(2, Timer.JOURNAL, JOURNAL_SECONDS)


def led(flow: Flow, *events: Event) -> tuple[Engine, list[Action]]:
    """An engine after some events, and its reply to the last of them."""
    engine = Engine(flow)
    actions: list[Action] = []
    for event in (Answered("zh-CN"), *events):
        actions = engine.handle(event)
    return engine, actions


def test_a_call_begins_with_its_longest_time_and_the_question(shipped: Flow) -> None:
    assert Engine(shipped).handle(Answered("en")) == [
        StartTimer(0, Timer.CALL_LENGTH, shipped.maximum_seconds),
        Play(1, ("ask",), "en"),
    ]


@pytest.mark.parametrize(("contact", "default", "spoken"), [
    ("en", None, "en"), (None, None, "zh-CN"), (None, "en", "en"), ("fr", "en", "en"), (None, "fr", "zh-CN"),
    ("zh-CN", "en", "zh-CN"), (None, "", "zh-CN"),
])  # fmt: skip
def test_the_contacts_language_is_spoken_then_the_settings_then_the_flows_first(
    shipped: Flow, contact: str | None, default: str | None, spoken: str
) -> None:
    engine = Engine(shipped, default)
    engine.handle(Answered(contact))
    assert engine.language == spoken


def test_a_key_stops_the_voice_and_goes_to_disk_before_anything_is_said(shipped: Flow) -> None:
    engine, actions = led(shipped, KeyPressed("2"))
    assert actions == [StopPrompt(1), StoreAnswer(2, "grade", "satisfied", "2"), JOURNAL]
    assert engine.answers == {}
    assert engine.handle(AnswerStored(2)) == [
        CancelTimer(2, Timer.JOURNAL),
        Play(3, ("heard", "grade_satisfied", "change"), "zh-CN"),
    ]
    assert engine.answers == {"grade": Given("satisfied", "2")}


def test_a_key_into_the_silence_cancels_its_timer(shipped: Flow) -> None:
    _, actions = led(shipped, PromptFinished(1), KeyPressed("5"))
    assert actions == [CancelTimer(1, Timer.NOINPUT), StoreAnswer(2, "grade", "very_dissatisfied", "5"), JOURNAL]


def test_a_rated_call_ends_with_thanks_and_a_hang_up(shipped: Flow) -> None:
    engine, actions = led(
        shipped, KeyPressed("1"), AnswerStored(2), PromptFinished(3), TimerFired(Timer.CHANGE, 3), PromptFinished(4)
    )
    assert actions == [HangUp(), End("rated")]
    assert engine.outcome == "rated"
    assert engine.attempts == 1


def test_an_answer_the_journal_refuses_is_no_answer(shipped: Flow) -> None:
    engine, actions = led(shipped, KeyPressed("1"), AnswerNotStored(2))
    assert actions == [CancelTimer(2, Timer.JOURNAL), Play(3, ("fault",), "zh-CN")]
    assert engine.handle(PromptFinished(3)) == [HangUp(), End("error")]
    assert engine.answers == {}


def test_a_journal_that_says_nothing_is_a_journal_that_refuses(shipped: Flow) -> None:
    engine, actions = led(shipped, KeyPressed("1"), TimerFired(Timer.JOURNAL, 2))
    assert actions == [Play(3, ("fault",), "zh-CN")]
    assert engine.handle(AnswerStored(2)) == []
    assert engine.handle(HungUp("caller")) == [End("error")]


def test_silence_and_wrong_keys_have_tries_of_their_own(shipped: Flow) -> None:
    engine, _ = led(shipped, PromptFinished(1), TimerFired(Timer.NOINPUT, 1), KeyPressed("9"), PromptFinished(3))
    assert engine.handle(TimerFired(Timer.NOINPUT, 3))[-1] == Play(4, ("ask_slowly",), "zh-CN")
    engine.handle(KeyPressed("8"))
    assert engine.handle(KeyPressed("7"))[-1] == Play(6, ("silent",), "zh-CN")
    assert engine.handle(PromptFinished(6)) == [HangUp(), End("invalid")]


def test_the_silence_after_a_wrong_key_is_that_of_the_try(shipped: Flow) -> None:
    _, actions = led(shipped, PromptFinished(1), TimerFired(Timer.NOINPUT, 1), KeyPressed("9"), PromptFinished(3))
    assert actions == [StartTimer(3, Timer.NOINPUT, 8.0)]


def test_what_could_not_be_heard_at_all_was_not_met_with_silence(shipped: Flow) -> None:
    events = [event for attempt in (1, 2, 3) for event in (PromptFailed(attempt), TimerFired(Timer.NOINPUT, attempt))]
    engine, actions = led(shipped, *events)
    assert actions == [Play(4, ("fault",), "zh-CN")]
    assert engine.handle(PromptFailed(4)) == [HangUp(), End("error")]


def test_one_question_heard_is_enough_to_be_silent(shipped: Flow) -> None:
    _, actions = led(
        shipped, PromptFailed(1), TimerFired(Timer.NOINPUT, 1), PromptFinished(2), TimerFired(Timer.NOINPUT, 2),
        PromptFailed(3), TimerFired(Timer.NOINPUT, 3),
    )  # fmt: skip
    assert actions == [Play(4, ("silent",), "zh-CN")]


def test_hearing_only_the_wrong_key_prompt_is_having_pressed_and_so_no_fault(shipped: Flow) -> None:
    engine, _ = led(shipped, PromptFailed(1), KeyPressed("9"), PromptFinished(2), TimerFired(Timer.NOINPUT, 2))
    engine.handle(PromptFailed(3))
    engine.handle(TimerFired(Timer.NOINPUT, 3))
    engine.handle(PromptFailed(4))
    assert engine.handle(TimerFired(Timer.NOINPUT, 4)) == [Play(5, ("silent",), "zh-CN")]


def test_a_hang_up_before_an_answer_ends_the_call(shipped: Flow) -> None:
    assert led(shipped, HungUp("caller"))[1] == [End("hung_up")]
    assert led(shipped, PromptFinished(1), HungUp("media"))[1] == [End("hung_up")]


def test_a_hang_up_after_an_answer_leaves_it_standing(shipped: Flow) -> None:
    assert led(shipped, KeyPressed("4"), AnswerStored(2), HungUp("caller"))[1] == [End("rated")]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [(AnswerStored(2), "rated"), (AnswerNotStored(2), "error"), (TimerFired(Timer.JOURNAL, 2), "error")],
)
def test_a_hang_up_while_the_answer_is_written_waits_for_the_disk(shipped: Flow, word: Event, outcome: str) -> None:
    engine, actions = led(shipped, KeyPressed("4"), HungUp("caller"))
    assert actions == []
    assert engine.handle(HungUp("node")) == []
    assert engine.handle(word)[-1] == End(outcome)
    assert bool(engine.answers) == (outcome == "rated")


def test_a_hang_up_into_the_last_words_changes_nothing_about_the_outcome(shipped: Flow) -> None:
    tries = [event for attempt in (1, 2, 3) for event in (PromptFinished(attempt), TimerFired(Timer.NOINPUT, attempt))]
    assert led(shipped, *tries, HungUp("caller"))[1] == [End("silent")]


def test_the_change_key_asks_again_and_the_newer_answer_counts(shipped: Flow) -> None:
    engine, actions = led(shipped, KeyPressed("1"), AnswerStored(2), KeyPressed("*"))
    assert actions[:2] == [StopPrompt(3), Play(4, ("ask_again",), "zh-CN")]
    engine.handle(KeyPressed("5"))
    assert engine.answers["grade"].answer == "very_satisfied"
    engine.handle(AnswerStored(5))
    assert engine.answers["grade"].answer == "very_dissatisfied"
    assert engine.attempts == 2


def test_taking_an_answer_back_and_saying_nothing_leaves_it_standing(shipped: Flow) -> None:
    engine, actions = led(
        shipped, KeyPressed("1"), AnswerStored(2), KeyPressed("*"), PromptFinished(4), TimerFired(Timer.NOINPUT, 4)
    )
    assert actions[-1] == Play(5, ("thanks",), "zh-CN")
    assert engine.answers["grade"].answer == "very_satisfied"


def test_while_an_answer_is_written_keys_are_deaf_and_afterwards_only_the_change_key_acts(shipped: Flow) -> None:
    engine, actions = led(shipped, KeyPressed("1"), KeyPressed("1"))
    assert actions == []
    engine.handle(AnswerStored(2))
    assert [engine.handle(KeyPressed(key)) for key in "1234567890#ABCD"] == [[]] * 15
    engine.handle(PromptFinished(3))
    assert [engine.handle(KeyPressed(key)) for key in "1234567890#ABCD"] == [[]] * 15
    assert engine.handle(KeyPressed("*")) != []


def test_a_key_pressed_twice_in_a_moment_does_not_answer_the_next_question(extended: Flow) -> None:
    engine, _ = led(extended, KeyPressed("4"), AnswerStored(2), PromptFinished(3), TimerFired(Timer.CHANGE, 3))
    engine.handle(KeyPressed("2"))
    engine.handle(AnswerStored(5))  # no confirmation: the next prompt begins at once
    engine.handle(KeyPressed("#"))  # no comment, thank you
    assert engine.node == "call_back"
    assert engine.handle(KeyPressed("#")) == []
    engine.handle(TimerFired(Timer.GUARD, 7))
    assert engine.handle(KeyPressed("#"))[-2:] == [
        Play(8, ("call_back_again",), "zh-CN"),
        StartTimer(8, Timer.GUARD, 0.7),
    ]


def test_the_guard_is_deaf_only_to_the_key_that_led_there(shipped: Flow) -> None:
    engine, _ = led(shipped, KeyPressed("9"))
    assert engine.handle(KeyPressed("9")) == []
    assert engine.handle(KeyPressed("3"))[-2] == StoreAnswer(3, "grade", "basically_satisfied", "3")


@pytest.mark.parametrize(
    "stale",
    [
        PromptFinished(1),
        PromptFailed(1),
        TimerFired(Timer.NOINPUT, 1),
        TimerFired(Timer.NOINPUT, 2),
        AnswerStored(1),
        AnswerStored(2),
        AnswerNotStored(2),
        RecordingFinished(2, "x", 3.0),
        RecordingFailed(2),
        Answered("en"),
        TimerFired(Timer.CALL_LENGTH, 2),
        KeyPressed("x"),
        KeyPressed("12"),
        KeyPressed(""),
    ],
)
def test_a_stale_or_impossible_event_changes_nothing(shipped: Flow, stale: Event) -> None:
    engine, _ = led(shipped, PromptFinished(1), TimerFired(Timer.NOINPUT, 1))  # now attempt 2 plays
    before = engine.situation
    assert engine.handle(stale) == []
    assert engine.situation == before


def test_after_the_end_nothing_happens_any_more(shipped: Flow) -> None:
    engine, _ = led(shipped, HungUp("caller"))
    for event in (KeyPressed("1"), PromptFinished(1), HungUp("node"), TimerFired(Timer.CALL_LENGTH, 0), Answered()):
        assert engine.handle(event) == []
    assert engine.outcome == "hung_up"


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ((), [StopPrompt(1), HangUp(), End("error")]),
        ((KeyPressed("1"), AnswerStored(2)), [StopPrompt(3), HangUp(), End("rated")]),
        ((KeyPressed("1"),), [HangUp()]),
    ],
)
def test_a_call_past_its_length_is_hung_up_on_with_what_is_true(
    shipped: Flow, events: tuple[Event, ...], end: list[Action]
) -> None:
    assert led(shipped, *events, TimerFired(Timer.CALL_LENGTH, 0))[1] == end


COMMENT = (KeyPressed("5"), AnswerStored(2), PromptFinished(3), TimerFired(Timer.CHANGE, 3), KeyPressed("2"))


def test_a_comment_is_recorded_after_its_tone_and_stored_by_reference(extended: Flow) -> None:
    engine, actions = led(extended, *COMMENT, AnswerStored(5), PromptFinished(6))
    assert actions == [Record(7, 60.0, "#", 4.0), StartTimer(7, Timer.RECORDING, 65.0)]
    assert engine.handle(KeyPressed("#")) == [StopRecording(7)]
    assert engine.handle(KeyPressed("#")) == []
    assert engine.handle(RecordingFinished(7, "a1", 9.0))[1] == StoreAnswer(8, "comment", "a1", "")
    engine.handle(AnswerStored(8))
    assert engine.answers["comment"] == Given("a1", "")
    assert engine.node == "call_back"


def test_nobody_is_recorded_who_was_not_told(extended: Flow) -> None:
    engine, _ = led(extended, *COMMENT, AnswerStored(5), PromptFailed(6))
    assert engine.node == "call_back"


def test_a_recorder_that_fails_or_says_nothing_holds_nobody_up(extended: Flow) -> None:
    failed, _ = led(extended, *COMMENT, AnswerStored(5), PromptFinished(6), RecordingFailed(7))
    assert failed.node == "call_back"
    overdue, actions = led(extended, *COMMENT, AnswerStored(5), PromptFinished(6), TimerFired(Timer.RECORDING, 7))
    assert overdue.node == "call_back"
    assert actions[0] == StopRecording(7)
    assert overdue.handle(RecordingFinished(7, "late", 60.0)) == []


def test_hanging_up_in_the_middle_of_a_comment_keeps_it(extended: Flow) -> None:
    engine, actions = led(extended, *COMMENT, AnswerStored(5), PromptFinished(6), HungUp("caller"))
    assert actions[0] == StopRecording(7)
    engine.handle(RecordingFinished(7, "a1", 9.0))
    assert engine.handle(AnswerStored(8))[-1] == End("rated")
    assert engine.answers["comment"].answer == "a1"


def test_a_fork_goes_its_own_way(shipped: Flow) -> None:
    engine, _ = led(shipped, KeyPressed("1"))
    twin = engine.fork()
    twin.handle(AnswerStored(2))
    assert twin.answers
    assert not engine.answers
    assert engine.state is State.STORING


def test_every_living_state_hears_a_hang_up_and_the_end_of_its_time() -> None:
    living = set(State) - {State.NEW, State.LEAVING, State.ENDED}
    assert living == {state for state, trigger in TRANSITIONS if trigger is Timer.CALL_LENGTH}
    assert living | {State.NEW} == {state for state, trigger in TRANSITIONS if trigger is HungUp}
    assert not [state for state, _ in TRANSITIONS if state is State.ENDED]


def test_branches_follow_answers_not_their_worth(extended_text: str) -> None:
    turned = extended_text.replace("{dissatisfied: comment, very_dissatisfied: comment}", "{very_satisfied: comment}")
    engine, _ = led(load(None, turned), KeyPressed("1"), *COMMENT[1:], AnswerStored(5))
    assert engine.node == "comment"
