"""The good call: everything is heard to its end, every question answered at once, nothing changed or said.

Its length is what a caller gives for a rating; the flow may bound it by language (`good_call_seconds`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ivr.flow.conversation import Happening
from ivr.flow.engine import Engine
from ivr.flow.events import (
    Answered,
    AnswerStored,
    Event,
    KeyPressed,
    PromptFinished,
    RecordingFinished,
    Timer,
    TimerFired,
)
from ivr.flow.exploration import Durations
from ivr.flow.model import Flow, Menu, Question
from ivr.flow.situation import State
from ivr.flow.surroundings import Surroundings


def longest_good_call(flow: Flow, durations: Durations, language: str) -> list[Happening]:
    """Find the longest good call in a language, over all keys that may be given; empty if none ends."""
    ways = _ways(_Moment(Engine(flow), Surroundings(), 0.0, frozenset()), Answered(language), durations)
    return max(ways, key=lambda way: way[-1].at_seconds, default=[])


@dataclass(frozen=True, slots=True)
class _Moment:
    """A good call as far as it has come."""

    engine: Engine
    around: Surroundings
    now: float
    asked: frozenset[str]  # nodes at which a key was given


def _ways(before: _Moment, event: Event, durations: Durations) -> Iterator[list[Happening]]:
    """Yield every good way on from an event. A node asked again is no good call but a circle."""
    engine = before.engine.fork()
    actions = engine.handle(event)
    around = before.around.after(event, actions)
    here = Happening(before.now, event, tuple(actions))
    if around.outcome is not None:
        yield [here]
        return
    asking = engine.state is State.COLLECTING
    if asking and engine.node in before.asked:
        return
    asked = before.asked | {engine.node} if asking else before.asked
    for following, seconds in _next(engine, around, durations):
        moment = _Moment(engine, around, before.now + seconds, asked)
        yield from ([here, *way] for way in _ways(moment, following, durations))


def _next(engine: Engine, around: Surroundings, durations: Durations) -> Iterator[tuple[Event, float]]:
    if around.playing:
        playing = around.playing
        seconds = sum(durations.get((playing.language, prompt), 0.0) for prompt in playing.prompts)
        yield PromptFinished(playing.attempt), seconds
    elif around.storing:
        yield AnswerStored(around.storing.attempt), 0.0
    elif around.recording:
        yield RecordingFinished(around.recording.attempt, "", 0.0), 0.0
    elif change := around.running(Timer.CHANGE):
        yield TimerFired(Timer.CHANGE, change.attempt), change.seconds
    else:
        yield from _typing(engine, around)


def _typing(engine: Engine, around: Surroundings) -> Iterator[tuple[Event, float]]:
    """Try every key; of a key of several digits the first, then what may follow it, or nothing more."""
    node, typed = engine.flow.nodes[engine.node], engine.typed
    assert isinstance(node, Question | Menu)
    following = {key[len(typed)] for key in node.keys if key.startswith(typed) and key != typed}
    yield from ((KeyPressed(key), 0.0) for key in sorted(following))
    interdigit = around.running(Timer.INTERDIGIT)
    if interdigit and typed in node.keys:
        yield TimerFired(Timer.INTERDIGIT, interdigit.attempt), interdigit.seconds
