"""The 20 ms clock: absolute deadlines, legs spread over slots, every leg always in the same slot.

A burst of all legs at one moment delays the last by milliseconds, and a wake-up for every leg costs more than
sending does; so each period of 20 ms is cut into slots, and a slot is woken for only if it has legs. After a
stall nothing is caught up: a leg gets one frame at most, and its timestamp tells the true time.
"""

from dataclasses import dataclass, field

from ivr.gateway.rtp_leg import RtpLeg
from ivr.media.rtp import HEADER, MARKER, VERSION

PERIOD_NS = 20_000_000
FRAME_SAMPLES = 160
SLOTS = 10
SLOT_NS = PERIOD_NS // SLOTS
OPEN_NEXT_AT = 12
"""A further slot is taken into use when every one in use has so many legs."""

# far from one another first, so that few slots divide the period evenly
_ORDER = (0, 5, 2, 7, 4, 9, 1, 6, 3, 8)


@dataclass(slots=True)
class Slot:
    """The legs that share one moment of the period; `senders` are those not on hold."""

    number: int
    legs: set[RtpLeg] = field(default_factory=set)
    senders: list[RtpLeg] = field(default_factory=list)
    period: int | None = None

    def send(self, period: int) -> list[RtpLeg]:
        """Send the frame of this period for every sender; the legs whose prompts have just been heard out.

        The hot loop of the house: 50 turns per call and second, so it reaches into the leg.
        """
        pack = HEADER.pack
        stamp = period * FRAME_SAMPLES
        finished = []
        for leg in self.senders:
            frame = leg.silence
            if leg.frames is not None:
                position = leg.position
                if position < leg.end:
                    frame = leg.frames[position]
                    leg.position = position + 1
                else:
                    finished.append(leg)
            kind = leg.kind
            if kind & MARKER:
                leg.kind = kind ^ MARKER
            sequence = leg.sequence
            leg.sequence = sequence + 1
            try:
                leg.send(pack(VERSION, kind, sequence & 0xFFFF, leg.offset + stamp & 0xFFFFFFFF, leg.ssrc) + frame)
            except OSError:
                leg.counts["unsent"] += 1
        return finished

    def skip_to(self, period: int) -> int:
        """Note that this period is sent now; how many periods before it were left out."""
        skipped = 0 if self.period is None else period - self.period - 1
        self.period = period
        if skipped:
            for leg in self.senders:
                leg.counts["skipped"] += skipped
                leg.mark()
        return skipped


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
        self.slots = tuple(Slot(number) for number in range(SLOTS))

    def place(self, leg: RtpLeg, now_ns: int) -> Slot:
        """Give a leg its slot: the emptiest of those in use, or a fresh one if they are well filled."""
        ordered = [self.slots[number] for number in _ORDER]
        used = [slot for slot in ordered if slot.legs]
        if not used:
            # nobody was served meanwhile, so nobody was late
            self._next = (now_ns - self._start_ns) // SLOT_NS + 1
        slot = min(used, key=lambda each: len(each.legs), default=ordered[0])
        if len(slot.legs) >= OPEN_NEXT_AT:
            slot = next((each for each in ordered if not each.legs), slot)
        if not slot.legs:
            slot.period = None
        slot.legs.add(leg)
        return slot

    def next_turn(self) -> Turn | None:
        """The next turn of a slot that has legs; None while there is no leg at all."""
        for number in range(self._next, self._next + SLOTS):
            slot = self.slots[number % SLOTS]
            if slot.legs:
                return Turn(slot, number // SLOTS, self._start_ns + number * SLOT_NS)
        return None

    def done(self, turn: Turn, now_ns: int) -> None:
        """Go on behind this turn; turns a whole period late are left out."""
        newest = (now_ns - self._start_ns) // SLOT_NS
        self._next = max(turn.period * SLOTS + turn.slot.number + 1, newest - SLOTS + 1)

    def media_time(self, slot: Slot, now_ns: int) -> int:
        """This moment in samples of 8 kHz, on the scale of the slot's periods."""
        return (now_ns - self._start_ns - slot.number * SLOT_NS) * 8 // 1_000_000
