"""How late the clock's turns were and what they did, over the last seconds."""

import time

from ivr.gateway.media_messages import PumpFigures

STEP_NS = 50_000
STEPS = 600


class LatenessFigures:
    """Counts by steps of 0.05 ms up to 30 ms; begins anew with each conclusion."""

    def __init__(self, now: float) -> None:
        self.number = 0
        self._begin(now)

    def _begin(self, now: float) -> None:
        self.began = now
        self.keys = 0
        self._turns = self._sent = self._skipped = 0
        self._steps = [0] * STEPS
        self._latest_ns = 0
        self._processor = time.process_time()

    def count(self, late_ns: int, sent: int, skipped: int) -> None:
        """Take one turn: how late it came, how many frames it sent, how many were left out before it."""
        self._steps[min(max(late_ns, 0) // STEP_NS, STEPS - 1)] += 1
        self._latest_ns = max(self._latest_ns, late_ns)
        self._turns += 1
        self._sent += sent
        self._skipped += skipped

    def conclude(self, now: float, legs: int, lost_messages: int) -> PumpFigures:
        """The figures since the last conclusion."""
        figures = PumpFigures(
            legs=legs,
            seconds=round(now - self.began, 3),
            ticks=self._turns,
            sent=self._sent,
            keys=self.keys,
            late_p50_ms=self._percentile(0.5),
            late_p99_ms=self._percentile(0.99),
            late_max_ms=round(self._latest_ns / 1e6, 3),
            skipped_frames=self._skipped,
            lost_messages=lost_messages,
            processor_seconds=round(time.process_time() - self._processor, 4),
        )
        self.number += 1
        self._begin(now)
        return figures

    def _percentile(self, share: float) -> float:
        """The upper edge of the step in which that share of the turns is reached, in milliseconds."""
        wanted = self._turns * share
        passed = 0
        for step, count in enumerate(self._steps):
            passed += count
            if passed >= wanted > 0:
                return round((step + 1) * STEP_NS / 1e6, 3)
        return 0.0
