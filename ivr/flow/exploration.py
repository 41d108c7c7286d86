"""Walks the real engine through every event at every state, so that what is proved of the walk is true of calls.

Two calls with equal snapshots and equal surroundings go on alike, so each such place is visited once. Seconds are
upper bounds: whoever acts is taken to act at the last moment.
"""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from ivr.flow.actions import Action
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
    RecordingFailed,
    RecordingFinished,
    Timer,
    TimerFired,
)
from ivr.flow.meaning import Meaning
from ivr.flow.model import KEYS, Flow
from ivr.flow.surroundings import ContractBroken, Surroundings

MOST_PLACES: Final = 200_000
UNKNOWN_LANGUAGE: Final = "xx"

Durations = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Step:
    """One event at one place, its actions, where it leads and the seconds that may have passed before it.

    `age` is how many attempts old the event is: the attempt itself differs between the ways to one place.
    """

    event: Event
    age: int
    actions: tuple[Action, ...]
    target: int
    seconds: float


@dataclass(slots=True)
class Place:
    """A call in one situation. `came` is the place and step of a shortest way here."""

    engine: Engine
    surroundings: Surroundings
    came: "tuple[int, Step] | None"
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Breach:
    """What the engine did that it must never do: at which place, on which event."""

    place: int
    step: Step
    sentence: str


class Exploration:
    """All places a call of one flow can be in. Place 0 stands before the answer."""

    def __init__(self, flow: Flow, durations: Durations) -> None:
        """Walk them all; at MOST_PLACES the walk stops and `complete` is False."""
        self.flow = flow
        self.durations = durations
        self.breaches: list[Breach] = []
        self.places = [Place(Engine(flow), Surroundings(), None)]
        self._meaning = Meaning(flow)
        self._index: dict[Hashable, int] = {self._identity(self.places[0]): 0}
        self._walk()

    @property
    def complete(self) -> bool:
        """Whether every place was visited."""
        return len(self.places) < MOST_PLACES

    def way_to(self, place: int) -> list[Step]:
        """A shortest way from the answer to a place."""
        steps: list[Step] = []
        came = self.places[place].came
        while came is not None:
            steps.append(came[1])
            came = self.places[came[0]].came
        return steps[::-1]

    def hold(self, surroundings: Surroundings) -> float:
        """How long a call can stay as it is: to the end of its prompt or its silence, in seconds."""
        playing = surroundings.playing
        if playing:
            return sum(self.durations.get((playing.language, prompt), 0.0) for prompt in playing.prompts)
        return min((timer.seconds for timer in surroundings.timers if _ends_waiting(timer.timer)), default=0.0)

    def _walk(self) -> None:
        here = 0  # places are found in the order they are visited: breadth first, so that ways are shortest
        while here < len(self.places) and self.complete:
            surroundings = self.places[here].surroundings
            self._must_ignore(here, idle_events(surroundings))
            for event in events(self.flow, surroundings):
                self._step(here, event)
            here += 1

    def _step(self, here: int, event: Event) -> None:
        place = self.places[here]
        engine = place.engine.fork()
        actions = engine.handle(event)
        if not actions and isinstance(event, KeyPressed) and _same(engine, place.engine):
            return  # deaf here, and nobody waits for it
        try:
            surroundings = place.surroundings.after(event, actions)
        except ContractBroken as broken:
            self._breach(here, event, actions, str(broken))
            return
        new = Place(engine, surroundings, None)
        seconds = 0.0 if _still_waits(place.surroundings, surroundings) else self.hold(place.surroundings)
        target = self._index.setdefault(self._identity(new), len(self.places))
        step = Step(event, _age(event, place.surroundings), tuple(actions), target, seconds)
        place.steps.append(step)
        if target == len(self.places):
            new.came = (here, step)
            self.places.append(new)

    def _must_ignore(self, here: int, events: Iterator[Event]) -> None:
        before = self.places[here].engine
        engine = before.fork()
        for event in events:
            actions = engine.handle(event)
            if actions or not _same(engine, before):
                self._breach(here, event, actions, "a stale or impossible event changed the call")
                return

    def _identity(self, place: Place) -> Hashable:
        """What makes two places one: attempts, which only tell old from new, are left out."""
        around = place.surroundings
        return (
            self._meaning.snapshot(place.engine),
            (around.playing.prompts, around.playing.language) if around.playing else None,
            frozenset((one.timer, one.seconds) for one in around.timers),
            (around.storing.question, around.storing.answer) if around.storing else None,
            (around.recording is None, around.gone, around.outcome),
        )

    def _breach(self, here: int, event: Event, actions: list[Action], sentence: str) -> None:
        step = Step(event, _age(event, self.places[here].surroundings), tuple(actions), here, 0.0)
        self.breaches.append(Breach(here, step, sentence))


def _same(one: Engine, other: Engine) -> bool:
    same = one.situation == other.situation and one.answers == other.answers
    return same and (one.outcome, one.attempts) == (other.outcome, other.attempts)


def happenings(flow: Flow, steps: list[Step]) -> Iterator[Happening]:
    """Play steps to a new engine as a conversation, each at the latest moment it can come."""
    engine, around, now = Engine(flow), Surroundings(), 0.0
    for step in steps:
        now += step.seconds
        event = aged(step.event, step.age, around)
        actions = engine.handle(event)
        yield Happening(now, event, tuple(actions))
        with suppress(ContractBroken):  # what is told may be this very breach
            around = around.after(event, actions)


def aged(event: Event, age: int, surroundings: Surroundings) -> Event:
    """Write the event of an attempt so many attempts old, counted from the newest."""
    match event:
        case Answered() | KeyPressed() | HungUp() | TimerFired(Timer.CALL_LENGTH):
            return event
        case _:
            return replace(event, attempt=surroundings.latest - age)


def _age(event: Event, surroundings: Surroundings) -> int:
    return surroundings.latest - getattr(event, "attempt", surroundings.latest)


def events(flow: Flow, surroundings: Surroundings) -> Iterator[Event]:
    """Everything that can happen to a call now."""
    if surroundings.outcome is not None:
        return
    if surroundings.running(Timer.CALL_LENGTH) is None and not surroundings.gone:
        yield from (Answered(language) for language in (None, *flow.languages, UNKNOWN_LANGUAGE))
        yield HungUp("caller")
        return
    if not surroundings.gone:
        yield from (KeyPressed(key) for key in KEYS)
        yield HungUp("caller")
    yield from (TimerFired(started.timer, started.attempt) for started in surroundings.timers)
    if surroundings.playing:
        yield PromptFinished(surroundings.playing.attempt)
        yield PromptFailed(surroundings.playing.attempt)
    if surroundings.storing:
        yield AnswerStored(surroundings.storing.attempt)
        yield AnswerNotStored(surroundings.storing.attempt)
    if surroundings.recording:
        attempt = surroundings.recording.attempt
        yield RecordingFinished(attempt, "recording", surroundings.recording.max_seconds)
        yield RecordingFinished(attempt, "", 0.0)
        yield RecordingFailed(attempt)


def idle_events(surroundings: Surroundings) -> Iterator[Event]:
    """What must change nothing now: left over from the attempt before, said twice, or come too late."""
    before, now = surroundings.latest - 1, surroundings.latest
    for attempt in (before, now):
        if not (surroundings.playing and attempt == now):
            yield PromptFinished(attempt)
            yield PromptFailed(attempt)
        if not (surroundings.storing and attempt == now):
            yield AnswerStored(attempt)
            yield AnswerNotStored(attempt)
        if not (surroundings.recording and attempt == now):
            yield RecordingFinished(attempt, "recording", 1.0)
            yield RecordingFailed(attempt)
        for timer in Timer:
            started = surroundings.running(timer)
            if started is None or started.attempt != attempt:
                yield TimerFired(timer, attempt)
    if surroundings.running(Timer.CALL_LENGTH) or surroundings.outcome is not None:
        yield Answered(None)
    if surroundings.gone:
        yield from (KeyPressed("1"), HungUp("caller"))


def _ends_waiting(timer: Timer) -> bool:
    return timer not in {Timer.CALL_LENGTH, Timer.GUARD}


def _waits_for(surroundings: Surroundings) -> object:
    return surroundings.playing or frozenset(one for one in surroundings.timers if _ends_waiting(one.timer))


def _still_waits(before: Surroundings, after: Surroundings) -> bool:
    """Whether the same prompt or silence goes on: its seconds are counted when it ends."""
    return _waits_for(before) == _waits_for(after)
