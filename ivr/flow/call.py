"""One call's mutable side: its situation, its answers, and the strokes every move is made of.

The moves (walking, collecting, storing, recording, leaving) are functions over a Call; only they and the
engine touch one.
"""

from copy import copy
from typing import Any, Self

from ivr.flow.actions import Action, CancelTimer, End, HangUp, Play, StartTimer, StopPrompt
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
from ivr.flow.model import (
    CONTACT_LANGUAGE,
    KEYS,
    NO_ANSWER,
    Branch,
    Change,
    Close,
    Collect,
    Flow,
    Menu,
    Node,
    Question,
    Recording,
    Say,
    Try,
)
from ivr.flow.situation import Given, Situation, State


class Call:
    """A call in a flow, from before Answered to after End."""

    def __init__(self, flow: Flow, language: str) -> None:
        """Stand before the first event."""
        self.flow = flow
        self.at = Situation(language=language)
        self.answers: dict[str, Given] = {}
        self.outcome: str | None = None
        self.asked = 0

    def fork(self) -> Self:
        """Make an independent copy."""
        twin = copy(self)
        twin.answers = dict(self.answers)
        return twin

    # what belongs to the present

    def awaits(self, event: Event) -> bool:
        """Whether the event belongs to the present attempt, or to no attempt at all."""
        at = self.at
        match event:
            case TimerFired(Timer.CALL_LENGTH, attempt):
                return attempt == 0
            case TimerFired(timer, attempt):
                return attempt == at.attempt and timer in at.running
            case PromptFinished(attempt) | PromptFailed(attempt):
                return attempt == at.attempt and at.playing
            case AnswerStored(attempt) | AnswerNotStored(attempt):
                return attempt == at.attempt and at.pending is not None
            case RecordingFinished(attempt) | RecordingFailed(attempt):
                return attempt == at.attempt and at.pending is None
            case KeyPressed(key):
                return len(key) == 1 and key in KEYS
            case Answered() | HungUp():
                return True

    def consume(self, event: Event) -> None:
        """Note that what the event reports is over: a fired timer does not run, a finished prompt does not play."""
        match event:
            case TimerFired(timer):
                self.at = self.at._replace(running=self.at.running - {timer})
            case PromptFinished() | PromptFailed():
                self.at = self.at._replace(playing=False)
            case _:
                pass

    # where the call stands in the flow

    @property
    def node(self) -> Node | None:
        """The node the call is at; None before Answered."""
        return self.flow.nodes.get(self.at.node)

    @property
    def collect(self) -> Collect:
        """How the present question or menu asks."""
        assert isinstance(self.node, Question | Menu)
        return self.node.collect

    @property
    def trial(self) -> Try:
        """The try that is being put."""
        if self.at.turn.changing and isinstance(self.node, Question) and self.node.change:
            return self.node.change.ask
        return self.collect.tries[self.at.turn.tries]

    @property
    def recording(self) -> Recording:
        """The present recording node."""
        assert isinstance(self.node, Recording)
        return self.node

    @property
    def change(self) -> Change | None:
        """How the present question's answer may be changed, while that is allowed once more."""
        change = self.node.change if isinstance(self.node, Question) else None
        return change if change and self.at.turn.changes < change.at_most else None

    @property
    def following(self) -> str:
        """The node after the present one."""
        assert isinstance(self.node, Question | Say | Recording)
        return self.node.next

    def way(self, branch: Branch) -> str:
        """Where a branch leads now."""
        given = self.answers.get(branch.on)
        value = given.answer if given else NO_ANSWER
        if branch.on == CONTACT_LANGUAGE:
            value = self.at.contact_language
        return branch.cases.get(value, branch.otherwise)

    @property
    def truth(self) -> str:
        """The outcome if the leg were gone now."""
        if self.at.state is State.APOLOGISING:
            return "error"
        if isinstance(self.node, Close):
            return self.node.outcome
        return "rated" if self.flow.rates in self.answers else "hung_up"

    # the strokes

    def move(self, state: State, **changes: Any) -> None:  # noqa: ANN401  `_replace` checks the names
        """Wait for something else."""
        self.at = self.at._replace(state=state, **changes)

    def note(self, **changes: Any) -> None:  # noqa: ANN401
        """Remember something about the present question."""
        self.at = self.at._replace(turn=self.at.turn._replace(**changes))

    def quiet(self) -> list[Action]:
        """Stop whatever plays and runs under the present attempt."""
        stopped = self._stopped()
        if stopped:
            self.at = self.at._replace(playing=False, running=frozenset())
        return stopped

    def _stopped(self) -> list[Action]:
        attempt, running = self.at.attempt, self.at.running
        cancelled = [CancelTimer(attempt, timer) for timer in Timer if timer in running] if running else []
        return [*([StopPrompt(attempt)] if self.at.playing else []), *cancelled]

    def attempt(self, state: State) -> int:
        """Begin a new attempt: what was started under the old one is stale from here."""
        self.move(state, attempt=self.at.attempt + 1)
        return self.at.attempt

    def start(self, timer: Timer, seconds: float) -> Action:
        """Start a timer of the present attempt."""
        self.at = self.at._replace(running=self.at.running | {timer})
        return StartTimer(self.at.attempt, timer, seconds)

    def play(self, state: State, prompts: tuple[str, ...]) -> list[Action]:
        """Stop everything and play the prompts under a new attempt."""
        stopped, attempt = self._stopped(), self.at.attempt + 1
        self.at = self.at._replace(state=state, attempt=attempt, playing=True, running=frozenset())
        return [*stopped, Play(attempt, prompts, self.at.language)]

    def end(self, *, fault: bool = False) -> list[Action]:
        """End the call, with the outcome that is true now or as a fault."""
        self.outcome = "error" if fault else self.truth
        self.move(State.ENDED, playing=False, running=frozenset(), pending=None)
        return [End(self.outcome)]

    def hang_up(self, *, fault: bool = False) -> list[Action]:
        """Hang up, then end."""
        return [*self.quiet(), HangUp(), *self.end(fault=fault)]
