"""Walks one call through a flow: events in, actions out, by a table of state and trigger.

What is not in the table, or belongs to an attempt that is over, changes nothing. An answer counts from the
moment the journal has it; every call ends in exactly one End, its last action.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Self

from ivr.flow import collecting, leaving, recording, storing, walking
from ivr.flow.actions import Action
from ivr.flow.call import Call
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
from ivr.flow.model import Branch, Flow
from ivr.flow.situation import Given, Situation, State

Trigger = type[Event] | Timer
Move = Callable[[Call, Any], list[Action]]

_TALKING: Final = tuple(state for state in State if state not in {State.NEW, State.LEAVING, State.ENDED})

TRANSITIONS: Final[Mapping[tuple[State, Trigger], Move]] = {
    **{(state, HungUp): leaving.gone for state in (State.NEW, *_TALKING)},
    **{(state, Timer.CALL_LENGTH): leaving.too_long for state in _TALKING},
    (State.NEW, Answered): walking.begin,
    (State.ASKING, PromptFinished): collecting.listen,
    (State.ASKING, PromptFailed): collecting.listen,
    (State.ASKING, KeyPressed): collecting.barge_in,
    (State.ASKING, Timer.GUARD): walking.drop_guard,
    (State.COLLECTING, KeyPressed): collecting.dial,
    (State.COLLECTING, Timer.NOINPUT): collecting.noinput,
    (State.COLLECTING, Timer.GUARD): walking.drop_guard,
    (State.DIALLING, KeyPressed): collecting.dial,
    (State.DIALLING, Timer.INTERDIGIT): collecting.decide,
    (State.STORING, AnswerStored): storing.stored,
    (State.STORING, AnswerNotStored): storing.not_stored,
    (State.STORING, Timer.JOURNAL): storing.not_stored,
    (State.STORING, HungUp): leaving.gone_while_storing,
    (State.CONFIRMING, PromptFinished): storing.open_window,
    (State.CONFIRMING, PromptFailed): storing.open_window,
    (State.CONFIRMING, KeyPressed): storing.take_back,
    (State.CHANGING, KeyPressed): storing.take_back,
    (State.CHANGING, Timer.CHANGE): walking.go_on,
    (State.SAYING, PromptFinished): walking.go_on,
    (State.SAYING, PromptFailed): walking.go_on,
    (State.SAYING, KeyPressed): walking.skip,
    (State.CUEING, PromptFinished): recording.record,
    (State.CUEING, PromptFailed): walking.go_on,  # nobody is recorded who was not told
    (State.CUEING, KeyPressed): walking.skip,
    (State.RECORDING, RecordingFinished): recording.keep,
    (State.RECORDING, RecordingFailed): walking.go_on,
    (State.RECORDING, KeyPressed): recording.stop,
    (State.RECORDING, Timer.RECORDING): recording.abandon,
    (State.RECORDING, HungUp): recording.gone,
    (State.APOLOGISING, PromptFinished): leaving.last_words_said,
    (State.APOLOGISING, PromptFailed): leaving.last_words_said,
    (State.CLOSING, PromptFinished): leaving.last_words_said,
    (State.CLOSING, PromptFailed): leaving.last_words_said,
    (State.LEAVING, AnswerStored): leaving.stored_after_all,
    (State.LEAVING, AnswerNotStored): leaving.lost_after_all,
    (State.LEAVING, Timer.JOURNAL): leaving.lost_after_all,
    (State.LEAVING, RecordingFinished): recording.keep_after_all,
    (State.LEAVING, RecordingFailed): leaving.gone,
    (State.LEAVING, Timer.RECORDING): leaving.gone,
}


def trigger_of(event: Event) -> Trigger:
    """Name the column of the table an event belongs to: its type, or the timer that fired."""
    return event.timer if isinstance(event, TimerFired) else type(event)


class Engine:
    """One call. Not thread-safe: one call, one owner.

    `default_language` is spoken when the contact names none, or one the flow does not have; without it, or if
    the flow does not have it either, the flow's first language.
    """

    def __init__(self, flow: Flow, default_language: str | None = None) -> None:
        """Stand before the first event, which is Answered."""
        known = default_language is not None and default_language in flow.languages
        self._call = Call(flow, default_language if known and default_language else flow.languages[0])

    def handle(self, event: Event) -> list[Action]:
        """Advance the call by one event and say what the gateway must do, in order.

        A stale or illegal event yields no action and changes nothing: on a real trunk a timer may fire, or a key
        arrive, just after the call has moved on. After End every event yields nothing.
        """
        move = TRANSITIONS.get((self.state, trigger_of(event)))
        if move is None or not self._call.awaits(event):
            return []
        self._call.consume(event)
        return move(self._call, event)

    @property
    def flow(self) -> Flow:
        """The flow the call is in."""
        return self._call.flow

    @property
    def outcome(self) -> str | None:
        """The outcome, once the call has ended."""
        return self._call.outcome

    @property
    def answers(self) -> Mapping[str, Given]:
        """The settled answers by question; of several the last."""
        return MappingProxyType(self._call.answers)

    @property
    def attempts(self) -> int:
        """How often the question the flow `rates` was put to the caller, replays and changes included."""
        return self._call.asked

    @property
    def language(self) -> str:
        """The language being spoken."""
        return self._call.at.language

    @property
    def situation(self) -> Situation:
        """Where the call stands; immutable."""
        return self._call.at

    @property
    def state(self) -> State:
        """What the call is waiting for."""
        return self._call.at.state

    @property
    def node(self) -> str:
        """The name of the flow's node the call is at; empty before Answered."""
        return self._call.at.node

    @property
    def typed(self) -> str:
        """The digits of a key of several, as far as it was pressed."""
        return self._call.at.turn.digits

    def listens_for(self, key: str) -> bool:
        """Whether silence has fallen in which this key is waited for; a key into a prompt is another matter."""
        match self.state:
            case State.COLLECTING | State.DIALLING:
                return True
            case State.CHANGING:
                return self._call.change is not None and key == self._call.change.key
            case State.RECORDING:
                return key == self._call.recording.stop_key
            case _:
                return False

    def way(self, branch: Branch) -> str:
        """Where a branch would lead the call now."""
        return self._call.way(branch)

    def fork(self) -> Self:
        """Make a second engine in the same situation, to try another event on."""
        twin = type(self).__new__(type(self))
        twin._call = self._call.fork()  # noqa: SLF001  the twin is one of us
        return twin
