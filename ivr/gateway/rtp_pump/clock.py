"""The 20 ms clock: absolute deadlines, legs spread over slots, every leg always in the same slot.

A wake-up costs as much as five packets, and a burst of all legs at one moment delays the last by
milliseconds; so each period of 20 ms has slots, and a further one is woken for only when the others are
full. After a stall nothing is caught up: a leg gets one frame at most, and its timestamp tells the true time.
"""

from dataclasses import dataclass, field

from ivr.gateway.rtp_pump.leg import RtpLeg
from ivr.gateway.rtp_pump.sender import RtpSender, send_frames
from ivr.media.g711 import FRAME_SAMPLES

PERIOD_NS = 20_000_000
SLOTS = 10
SLOT_NS = PERIOD_NS // SLOTS
FULL = 128
"""Legs in a slot: sending to so many takes about half a millisecond."""

# far from one another first, so that few slots divide the period evenly
_ORDER = (0, 5, 2, 7, 4, 9, 1, 6, 3, 8)


@dataclass(slots=True)
class Slot:
    """The legs that share one moment of the period; `senders` are those not on hold."""

    number: int
    legs: dict[RtpSender, RtpLeg] = field(default_factory=dict)
    senders: list[RtpSender] = field(default_factory=list)
    period: int | None = None

    def send(self, period: int) -> list[RtpLeg]:
        """Send every sender's frame of this period; the legs whose prompts have been heard out."""
        finished = send_frames(self.senders, period * FRAME_SAMPLES)
        return [self.legs[sender] for sender in finished] if finished else []

    def skip_to(self, period: int) -> int:
        """Note that this period is sent now; how many periods before it were left out."""
        skipped = 0 if self.period is None else period - self.period - 1
        self.period = period
        if skipped:
            for sender in self.senders:
                self.legs[sender].skipped_frames += skipped
                sender.mark()
        return skipped

    def hold(self, leg: RtpLeg) -> None:
        """Send to this leg or not, as its parameters say now."""
        if leg.sends and leg.sender not in self.senders:
            self.senders.append(leg.sender)
        elif not leg.sends and leg.sender in self.senders:
            self.senders.remove(leg.sender)

    def remove(self, leg: RtpLeg) -> None:
        """Forget a leg."""
        del self.legs[leg.sender]
        if leg.sender in self.senders:
            self.senders.remove(leg.sender)


@dataclass(frozen=True, slots=True)
class Turn:
    """One slot's turn: which, in which period since the clock's start, and when."""

    slot: Slot
    period: int
    due_ns: int


class RtpClock:
    """Whose turn is next, and when. It is told the time and never asks for it."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._next = 0
        self._slots = tuple(Slot(number) for number in range(SLOTS))
        self._in_order = tuple(self._slots[number] for number in _ORDER)

    def place(self, leg: RtpLeg, now_ns: int) -> Slot:
        """Give a leg its slot: the first that is not full, so that as few as possible have to be woken for."""
        if not any(slot.legs for slot in self._slots):
            # nobody was served meanwhile, so nobody was late
            self._next = (now_ns - self._start_ns) // SLOT_NS + 1
        slot = next((slot for slot in self._in_order if len(slot.legs) < FULL), None)
        if slot is None:
            slot = min(self._in_order, key=lambda each: len(each.legs))
        if not slot.legs:
            slot.period = None
        slot.legs[leg.sender] = leg
        slot.hold(leg)
        return slot

    def next_turn(self, now_ns: int) -> Turn | None:
        """The next turn of a slot that has legs, leaving out those a whole period late; None without any leg."""
        newest = (now_ns - self._start_ns) // SLOT_NS
        self._next = max(self._next, newest - SLOTS + 1)
        for number in range(self._next, self._next + SLOTS):
            slot = self._slots[number % SLOTS]
            if slot.legs:
                return Turn(slot, number // SLOTS, self._start_ns + number * SLOT_NS)
        return None

    def done(self, turn: Turn) -> None:
        """Go on behind this turn."""
        self._next = turn.period * SLOTS + turn.slot.number + 1

    def media_time(self, slot: Slot, now_ns: int) -> int:
        """This moment in samples of 8 kHz, on the scale of the slot's periods."""
        return (now_ns - self._start_ns - slot.number * SLOT_NS) * 8 // 1_000_000
