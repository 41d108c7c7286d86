"""Where a call stands in its flow: immutable, so that an event that changes nothing cannot change it by accident.

Named tuples where a call changes them at every step: `_replace` takes a third of what dataclasses.replace does.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from ivr.flow.events import Timer
from ivr.flow.model import NO_ANSWER


class State(Enum):
    """What the call is waiting for."""

    NEW = "new"  # the caller's answer to the ringing
    ASKING = "asking"  # the end of a question's prompt, or a key into it
    COLLECTING = "collecting"  # a key, or the end of the silence
    DIALLING = "dialling"  # the rest of a key of several digits
    STORING = "storing"  # the journal's word
    CONFIRMING = "confirming"  # the end of the prompt that says the answer back
    CHANGING = "changing"  # the change key, or the end of its window
    SAYING = "saying"  # the end of a prompt that asks nothing
    CUEING = "cueing"  # the end of the prompt before a recording
    RECORDING = "recording"  # the end of a recording
    APOLOGISING = "apologising"  # the end of the fault prompt
    CLOSING = "closing"  # the end of the last words
    LEAVING = "leaving"  # the leg is gone; the journal or the recorder has not spoken yet
    ENDED = "ended"  # nothing


@dataclass(frozen=True, slots=True)
class Given:
    """A settled answer: it is on disk. `key` is empty for a recording, whose answer is its reference."""

    answer: str
    key: str


@dataclass(frozen=True, slots=True)
class Pending:
    """An answer on its way to the disk."""

    question: str
    given: Given


class Turn(NamedTuple):
    """What has happened at the current question; a new one at each node."""

    tries: int = 0  # index of the try that is being put
    wrong: int = 0  # wrong keys so far
    replays: int = 0
    changes: int = 0
    changing: bool = False  # an answer stands and another is asked for
    scolded: bool = False  # the prompt being played is the wrong-key prompt, not the question
    heard: bool = False  # a prompt of the question was played to its end, or a key was pressed into it
    digits: str = ""  # a key of several digits, as far as it was pressed
    guard: str = ""  # the key whose second press is the finger, not the caller


class Situation(NamedTuple):
    """All the engine remembers of a call except the answers."""

    state: State = State.NEW
    node: str = ""
    attempt: int = 0
    language: str = ""
    contact_language: str = NO_ANSWER
    turn: Turn = Turn()
    playing: bool = False
    stopping: bool = False  # the recording was told to stop
    running: frozenset[Timer] = frozenset()
    pending: Pending | None = None
