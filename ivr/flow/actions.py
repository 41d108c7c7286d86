"""What the engine asks of the gateway, to be carried out in the order given."""

from dataclasses import dataclass

from ivr.flow.events import Timer


@dataclass(frozen=True, slots=True)
class Play:
    """Play the prompts one after another and report once, PromptFinished or PromptFailed, with this attempt."""

    attempt: int
    prompts: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class StopPrompt:
    """Stop that Play at once; it reports nothing more."""

    attempt: int


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Report TimerFired with the same timer and attempt after so many seconds."""

    attempt: int
    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget that timer."""

    attempt: int
    timer: Timer


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """Make the answer durable, then report AnswerStored or AnswerNotStored with this attempt.

    A later answer to the same question supersedes the earlier one. For a recording the answer is its reference
    and the key is empty.
    """

    attempt: int
    question: str
    answer: str
    key: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record the caller until the stop key, so much silence, the maximum or StopRecording, then report once."""

    attempt: int
    max_seconds: float
    stop_key: str
    silence_seconds: float


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End that recording now and report RecordingFinished with what there is, or RecordingFailed."""

    attempt: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """The service ends the call; nothing need be reported back."""


@dataclass(frozen=True, slots=True)
class End:
    """The call's one outcome: the last action of every call. Prompts and timers still running are void."""

    outcome: str


Action = Play | StopPrompt | StartTimer | CancelTimer | StoreAnswer | Record | StopRecording | HangUp | End
