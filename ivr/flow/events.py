"""What the gateway may tell the engine. Whatever belongs to a prompt, a timer or a recording carries its attempt."""

from dataclasses import dataclass
from enum import Enum


class Timer(Enum):
    """The clocks a flow runs by; the gateway starts, cancels and reports them without knowing their meaning."""

    NOINPUT = "noinput"  # VoiceXML's word: nobody pressed anything after a question
    INTERDIGIT = "interdigit"  # a key of several digits is begun and not finished
    CHANGE = "change"  # the answer may still be changed
    GUARD = "guard"  # a second press of the same key right after the first is the finger, not the caller
    JOURNAL = "journal"  # the journal's word is overdue
    RECORDING = "recording"  # a recording that should have ended has not said so
    CALL_LENGTH = "call_length"  # the whole call; always attempt 0


@dataclass(frozen=True, slots=True)
class Answered:
    """The call is established; `language` comes from the contact's token, None if it names none."""

    language: str | None = None


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """One press, already made one whatever ways it came by: 0-9, *, #, A-D (RFC 4733, section 3.2)."""

    key: str


@dataclass(frozen=True, slots=True)
class PromptFinished:
    """The whole sequence of that Play was sent."""

    attempt: int


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """That Play could not be carried through (missing or unreadable recording, media gone)."""

    attempt: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer ran out; it is stale unless it was started with this attempt and is still running."""

    timer: Timer
    attempt: int


@dataclass(frozen=True, slots=True)
class AnswerStored:
    """The journal has the answer of that StoreAnswer on disk."""

    attempt: int


@dataclass(frozen=True, slots=True)
class AnswerNotStored:
    """The journal refused the answer of that StoreAnswer: full, broken, gone."""

    attempt: int


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """A recording is complete under `reference`; it ended by key, silence, length, StopRecording or hang-up."""

    attempt: int
    reference: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """Nothing could be recorded."""

    attempt: int


@dataclass(frozen=True, slots=True)
class HungUp:
    """The leg is gone or being taken down, by 'caller', 'service', 'media' or 'node'."""

    by: str


Event = (
    Answered
    | KeyPressed
    | PromptFinished
    | PromptFailed
    | TimerFired
    | AnswerStored
    | AnswerNotStored
    | RecordingFinished
    | RecordingFailed
    | HungUp
)
