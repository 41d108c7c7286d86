"""The timers of all transactions and calls in one heap, and the intervals RFC 3261 17 names."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from ivr.sip.effects import Effect

T1 = 0.5
"""round-trip estimate, seconds"""
T2 = 4.0
"""longest retransmission interval"""
T4 = 5.0
"""how long a message may linger in the network"""
LIFETIME = 64 * T1
"""timers B, F, H, J and L: how long a transaction goes on trying or remembering"""

Fire = Callable[[float], list[Effect]]


class Alarm:
    """One deadline; cancelling leaves it in the heap, to be passed over when its time comes."""

    __slots__ = ("fire",)

    def __init__(self, fire: Fire) -> None:
        self.fire: Fire | None = fire

    def cancel(self) -> None:
        """Never fire."""
        self.fire = None


class Timers:
    """Deadlines in the caller's seconds; equal ones fire in the order they were set."""

    __slots__ = ("_heap", "_serial")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Alarm]] = []
        self._serial = 0

    def at(self, deadline: float, fire: Fire) -> Alarm:
        """Call `fire(now)` once `deadline` has come."""
        alarm = Alarm(fire)
        self._serial += 1
        heappush(self._heap, (deadline, self._serial, alarm))
        return alarm

    @property
    def next_deadline(self) -> float | None:
        """The earliest deadline still wanted."""
        heap = self._heap
        while heap and heap[0][2].fire is None:
            heappop(heap)
        return heap[0][0] if heap else None

    def expire(self, now: float) -> list[Effect]:
        """Fire all that is due and gather what comes of it."""
        effects: list[Effect] = []
        heap = self._heap
        while heap and heap[0][0] <= now:
            alarm = heappop(heap)[2]
            if alarm.fire is not None:
                effects += alarm.fire(now)
        return effects
