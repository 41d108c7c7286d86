"""What a journal tells the outside about itself: alarms, each said once, and figures for metrics."""

from dataclasses import dataclass
from enum import StrEnum

from ivr.journal.segment import Position


class AlarmKind(StrEnum):
    """What an engineer must hear of."""

    TORN = "torn"  # a dead writer's last record was cut off at start
    LOW = "low"  # the next segment cannot be allocated; the present one still has room
    FULL = "full"  # records are refused
    ROOM = "room"  # the end of low and full
    MOVED = "moved"  # a write failed; the journal goes on in a fresh segment, nothing acknowledged is touched
    FAILED = "failed"  # nothing is accepted any more


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sentence, with figures in it."""

    kind: AlarmKind
    sentence: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The journal's state; `appended` counts records since the start."""

    bytes_used: int
    max_bytes: int
    segments: int
    appended: int
    durable: Position
    acknowledged: Position
    full: bool
    failed: bool
