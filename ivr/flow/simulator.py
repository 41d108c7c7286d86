"""Plays a flow in a time of its own: prompts last as long as their recordings, nobody waits.

The simulator is gateway, journal and caller at once, around the real engine.
"""

from collections.abc import Iterator
from typing import Final

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
from ivr.flow.conversation import Happening
from ivr.flow.engine import Engine
from ivr.flow.events import (
    Answered,
    AnswerNotStored,
    AnswerStored,
    Event,
    HungUp,
    KeyPressed,
    PromptFailed,
    PromptFinished,
    RecordingFinished,
    Timer,
    TimerFired,
)
from ivr.flow.exploration import Durations
from ivr.flow.model import Flow
from ivr.flow.script import Deed, Press, Speak, Token
from ivr.flow.situation import State

REACTION_SECONDS: Final = 0.8  # of the simulated caller, to a prompt's end
TYPING_SECONDS: Final = 0.4  # between two digits of one key
BOUNCE_SECONDS: Final = 0.2  # between two presses that were meant as one
JOURNAL_SECONDS: Final = 0.005  # what a good disk takes
WAITING: Final = frozenset({State.COLLECTING, State.DIALLING, State.CHANGING, State.RECORDING})
PATIENCE: Final = frozenset({Timer.NOINPUT, Timer.INTERDIGIT, Timer.CHANGE, Timer.RECORDING})


class Simulation:
    """One simulated call. Every method yields what happened, in order."""

    def __init__(self, flow: Flow, durations: Durations, default_language: str | None = None) -> None:
        """Stand before the answer, at 0 seconds."""
        self.engine = Engine(flow, default_language)
        self.now = 0.0
        self._durations = durations
        self._due: dict[object, tuple[float, int, Event]] = {}
        self._order = 0
        self._journal_fails = False
        self._last_key = ""
        self._recording: tuple[Record, float] | None = None  # with the second it began at
        self._spoken = 0.0

    @property
    def ended(self) -> bool:
        """Whether the call has its outcome."""
        return self.engine.outcome is not None

    @property
    def waits(self) -> bool:
        """Whether the service is silent and it is the caller's turn."""
        return self.engine.state in WAITING

    def answer(self, language: str | None) -> Iterator[Happening]:
        """The call is established."""
        yield self._feed(Answered(language))

    def until_waiting(self) -> Iterator[Happening]:
        """Let the call go on until it is the caller's turn, or over."""
        while not self.waits and not self.ended:
            yield self._next()

    def to_the_end(self) -> Iterator[Happening]:
        """Keep silent until the call is over."""
        while not self.ended:
            yield self._next()

    def act(self, token: Token) -> Iterator[Happening]:
        """Do what one token of a script says. A call that is over takes no more."""
        match token:
            case Press(key, True):
                yield from self._at_once(KeyPressed(key))
            case Press(key, False):
                yield from self._press(key)
            case Speak(seconds):
                yield from self._speak(seconds)
            case Deed.SILENCE:
                yield from self._keep_silent()
            case Deed.AGAIN:
                if self._last_key:
                    yield from self._after(BOUNCE_SECONDS, KeyPressed(self._last_key))
            case Deed.HANG_UP:
                yield from self._at_once(HungUp("caller"))
            case Deed.PROMPT_FAILS:
                yield from self._fail_prompt()
            case Deed.JOURNAL_FAILS:
                self._journal_fails = True

    # --- the caller

    def _at_once(self, event: Event) -> Iterator[Happening]:
        dialling = self.engine.state is State.DIALLING
        yield from self._after(TYPING_SECONDS if dialling else REACTION_SECONDS, event)

    def _after(self, seconds: float, event: Event) -> Iterator[Happening]:
        """Let so much time pass, with whatever falls into it, then act."""
        moment = self.now + seconds
        while not self.ended and self._first()[0] <= moment:
            yield self._next()
        if not self.ended:
            self.now = moment
            yield self._feed(event)

    def _press(self, key: str) -> Iterator[Happening]:
        while not self.ended and not self.engine.listens_for(key):
            yield self._next()
        yield from self._at_once(KeyPressed(key))

    def _keep_silent(self) -> Iterator[Happening]:
        while not self.ended:
            happening = self._next()
            yield happening
            match happening.event:
                case TimerFired(timer) if timer in PATIENCE:
                    return
                case RecordingFinished():
                    return

    def _speak(self, seconds: float) -> Iterator[Happening]:
        while not self.ended and self._recording is None:
            yield self._next()
        if self._recording is None:
            return
        record, began = self._recording
        self._spoken = min(seconds, record.max_seconds)
        self._schedule(Record, began + min(self._spoken + record.silence_seconds, record.max_seconds), self._recorded())
        self.now = began + self._spoken

    def _fail_prompt(self) -> Iterator[Happening]:
        while not self.ended and Play not in self._due:
            yield self._next()
        if Play in self._due:
            _, _, finished = self._due.pop(Play)
            assert isinstance(finished, PromptFinished)
            yield self._feed(PromptFailed(finished.attempt))

    # --- the gateway

    def _first(self) -> tuple[float, int, Event]:
        return min(self._due.values(), key=lambda due: due[:2])

    def _next(self) -> Happening:
        """Let the next thing happen that is due. Until its end a call always has one: its maximum length."""
        what, (moment, _, event) = min(self._due.items(), key=lambda item: item[1][:2])
        del self._due[what]
        self.now = max(self.now, moment)
        return self._feed(event)

    def _feed(self, event: Event) -> Happening:
        match event:
            case KeyPressed(key):
                self._last_key = key
            case RecordingFinished():
                self._recording = None
        actions = self.engine.handle(event)
        for action in actions:
            self._carry_out(action)
        return Happening(self.now, event, tuple(actions))

    def _carry_out(self, action: Action) -> None:
        match action:
            case Play(attempt, prompts, language):
                seconds = [self._durations.get((language, prompt)) for prompt in prompts]
                known = [length for length in seconds if length is not None]
                event = PromptFinished(attempt) if len(known) == len(seconds) else PromptFailed(attempt)
                self._schedule(Play, self.now + (sum(known) if isinstance(event, PromptFinished) else 0.0), event)
            case StopPrompt():
                self._due.pop(Play, None)
            case StartTimer(attempt, timer, seconds):
                self._schedule(timer, self.now + seconds, TimerFired(timer, attempt))
            case CancelTimer(_, timer):
                self._due.pop(timer, None)
            case StoreAnswer(attempt):
                failed, self._journal_fails = self._journal_fails, False
                word = AnswerNotStored(attempt) if failed else AnswerStored(attempt)
                self._schedule(StoreAnswer, self.now + JOURNAL_SECONDS, word)
            case Record(silence_seconds=silence_seconds):
                self._recording, self._spoken = (action, self.now), 0.0
                self._schedule(Record, self.now + silence_seconds, self._recorded())
            case StopRecording():
                self._schedule(Record, self.now, self._recorded())
            case HangUp():
                self._due.pop(Play, None)
            case End():
                self._due.clear()

    def _recorded(self) -> Event:
        assert self._recording is not None
        reference = "recording" if self._spoken else ""
        return RecordingFinished(self._recording[0].attempt, reference, self._spoken)

    def _schedule(self, what: object, moment: float, event: Event) -> None:
        self._order += 1
        self._due[what] = (moment, self._order, event)


def play(flow: Flow, durations: Durations, tokens: tuple[Token, ...], language: str | None) -> Iterator[Happening]:
    """Play a whole call by a script."""
    simulation = Simulation(flow, durations)
    yield from simulation.answer(language)
    for token in tokens:
        yield from simulation.act(token)
    yield from simulation.to_the_end()
