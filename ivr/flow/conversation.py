"""Writes what happened in a call as lines a person can read: counterexamples, recorded conversations, simulations.

One line per event, marked `>`, and one per action below it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
    TimerFired,
)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, at so many seconds after the answer, and what the engine made of it."""

    at_seconds: float
    event: Event
    actions: tuple[Action, ...]


def lines(happenings: Iterable[Happening]) -> Iterator[str]:
    """Write a conversation, one line at a time; timers that nobody heard or saw anything of are left out."""
    for happening in happenings:
        if isinstance(happening.event, TimerFired) and not happening.actions:
            continue
        yield f"{happening.at_seconds:6.1f} > {event_words(happening.event)}"
        for action in happening.actions:
            yield f"         {action_words(action)}"


def event_words(event: Event) -> str:
    """Write one event."""
    match event:
        case Answered(language):
            return f"answered {language or '(no language named)'}"
        case KeyPressed(key):
            return f"key {key}"
        case PromptFinished(attempt):
            return f"prompt {attempt} finished"
        case PromptFailed(attempt):
            return f"prompt {attempt} failed"
        case TimerFired(timer, attempt):
            return f"timer {attempt} {timer.value} fired"
        case AnswerStored(attempt):
            return f"answer {attempt} stored"
        case AnswerNotStored(attempt):
            return f"answer {attempt} not stored"
        case RecordingFinished(attempt, reference, seconds):
            return f"recording {attempt} finished: {reference or '(nothing)'}, {seconds:g} s"
        case RecordingFailed(attempt):
            return f"recording {attempt} failed"
        case HungUp(by):
            return f"hung up by {by}"


def action_words(action: Action) -> str:
    """Write one action."""
    match action:
        case Play(attempt, prompts, language):
            return f"play {attempt} {' + '.join(prompts)} [{language}]"
        case StopPrompt(attempt):
            return f"stop prompt {attempt}"
        case StartTimer(attempt, timer, seconds):
            return f"start timer {attempt} {timer.value} {seconds:g} s"
        case CancelTimer(attempt, timer):
            return f"cancel timer {attempt} {timer.value}"
        case StoreAnswer(attempt, question, answer, key):
            return f"store {attempt} {question} = {answer} (key {key or 'none'})"
        case Record(attempt, max_seconds, stop_key, silence_seconds):
            return f"record {attempt} at most {max_seconds:g} s, until {stop_key} or {silence_seconds:g} s of silence"
        case StopRecording(attempt):
            return f"stop recording {attempt}"
        case HangUp():
            return "hang up"
        case End(outcome):
            return f"end: {outcome}"
