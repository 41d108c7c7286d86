"""What the gateway is busy with for a call, as far as the actions so far tell; and what actions may not ask of it.

The proof, the simulator and the property tests share it: an engine that plays over itself, speaks before the
disk has spoken or goes on after End breaks the contract here, in words.
"""

from dataclasses import dataclass, replace

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
    AnswerNotStored,
    AnswerStored,
    Event,
    HungUp,
    PromptFailed,
    PromptFinished,
    RecordingFailed,
    RecordingFinished,
    Timer,
    TimerFired,
)


class ContractBroken(Exception):
    """The engine asked for what no gateway can do truthfully."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is going on around one call."""

    latest: int = 0  # the newest attempt
    playing: Play | None = None
    timers: frozenset[StartTimer] = frozenset()
    storing: StoreAnswer | None = None
    recording: Record | None = None
    gone: bool = False  # the leg: hung up by whomever
    outcome: str | None = None

    def after(self, event: Event, actions: list[Action]) -> "Surroundings":
        """What goes on after an event and the engine's reply. Raises ContractBroken."""
        now = self._without(event)
        for action in actions:
            now = now.carrying_out(action)
        for started in now.timers:
            current = 0 if started.timer is Timer.CALL_LENGTH else now.latest
            _must(started.attempt == current, started, "was left running")
        return now

    def running(self, timer: Timer) -> StartTimer | None:
        """The timer as it was started, if it runs."""
        return next((started for started in self.timers if started.timer is timer), None)

    def _without(self, event: Event) -> "Surroundings":
        match event:
            case PromptFinished(attempt) | PromptFailed(attempt) if self.playing and self.playing.attempt == attempt:
                return replace(self, playing=None)
            case AnswerStored(attempt) | AnswerNotStored(attempt) if self.storing and self.storing.attempt == attempt:
                return replace(self, storing=None)
            case RecordingFinished(attempt) | RecordingFailed(attempt) if (
                self.recording and self.recording.attempt == attempt
            ):
                return replace(self, recording=None)
            case TimerFired(timer, attempt):
                return self._without_timer(timer, attempt)
            case HungUp():
                return replace(self, gone=True, playing=None)
            case _:
                return self

    def _without_timer(self, timer: Timer, attempt: int) -> "Surroundings":
        started = self.running(timer)
        if started is None or started.attempt != attempt:
            return self
        left = replace(self, timers=self.timers - {started})
        # whoever's time is up is given up: its word, if it still comes, is stale
        match timer:
            case Timer.JOURNAL:
                return replace(left, storing=None)
            case Timer.RECORDING:
                return replace(left, recording=None)
            case _:
                return left

    def carrying_out(self, action: Action) -> "Surroundings":
        """What goes on after one action. Raises ContractBroken."""
        if self.outcome is not None:
            raise ContractBroken(f"{action} comes after the end")
        match action:
            case Play(attempt):
                self._play(action)
                return replace(self, playing=action, latest=attempt)
            case StopPrompt(attempt):
                _must(self.playing is not None and self.playing.attempt == attempt, action, "is not playing")
                return replace(self, playing=None)
            case StartTimer(attempt, timer):
                _must(self.running(timer) is None, action, "starts a timer that runs")
                return replace(self, timers=self.timers | {action}, latest=max(attempt, self.latest))
            case CancelTimer(attempt, timer):
                started = self.running(timer)
                _must(started is not None and started.attempt == attempt, action, "cancels what does not run")
                return replace(self, timers=frozenset(one for one in self.timers if one.timer is not timer))
            case StoreAnswer(attempt):
                _must(self.storing is None and self.playing is None, action, "while it stores or plays")
                return replace(self, storing=action, latest=attempt)
            case Record(attempt):
                _must(self.recording is None and self.playing is None and not self.gone, action, "cannot record")
                return replace(self, recording=action, latest=attempt)
            case StopRecording(attempt):
                return self
            case HangUp():
                _must(not self.gone, action, "hangs up a leg that is gone")
                return replace(self, gone=True, playing=None)
            case End(outcome):
                return replace(self, outcome=outcome, playing=None, timers=frozenset())

    def _play(self, play: Play) -> None:
        _must(self.playing is None, play, "plays over another prompt")
        _must(self.storing is None, play, "speaks before the journal has")
        _must(not self.gone, play, "speaks to nobody")
        _must(play.attempt > self.latest, play, "reuses an attempt")


def _must(holds: bool, action: Action, fault: str) -> None:
    if not holds:
        raise ContractBroken(f"{action} {fault}")
