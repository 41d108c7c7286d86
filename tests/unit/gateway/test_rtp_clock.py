"""The clock: exactly one frame per leg and 20 ms, in the same slot for ever, and nothing caught up after a stall."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from ivr.gateway.rtp_pump.clock import FULL, PERIOD_NS, SLOTS, RtpClock
from ivr.gateway.rtp_pump.sender import RtpSender

MS = 1_000_000


@dataclass(eq=False)
class RecordedLeg:
    """As much of a leg as the clock touches, noting when a frame was sent."""

    times: list[int] = field(default_factory=list)
    sends: bool = True
    skipped_frames: int = 0

    def __post_init__(self):
        self.sender = RtpSender(self._send, bytes(10))

    def _send(self, data):
        self.times.append(self.now)
        return len(data)


def serve(clock, legs, start, until, stalls=()):
    """Take turns as the pump does, each at its time, or at a stall's end if it is due within one."""
    now = start
    while (turn := clock.next_turn(now)) is not None:
        now = max(now, turn.due_ns)
        for begin, end in stalls:
            if begin <= now < end:
                now = end
        if now >= until:
            return
        if now - turn.due_ns >= PERIOD_NS:
            continue
        for leg in legs:
            leg.now = now
        turn.slot.skip_to(turn.period)
        turn.slot.send(turn.period)
        clock.done(turn)


def placed(clock, count, now=0):
    legs = [RecordedLeg() for _ in range(count)]
    return legs, [clock.place(leg, now) for leg in legs]


def test_without_legs_there_is_no_turn():
    assert RtpClock(0).next_turn(0) is None


def test_every_leg_is_sent_to_every_20_ms():
    clock = RtpClock(0)
    legs, _ = placed(clock, 700)
    serve(clock, legs, 0, 400 * MS)
    for leg in legs:
        assert len(leg.times) in (19, 20)
        assert {after - before for before, after in pairwise(leg.times)} == {PERIOD_NS}


def test_few_legs_share_a_slot_and_more_open_another():
    clock = RtpClock(0)
    _, slots = placed(clock, 3 * FULL)
    assert {slot.number: len(slot.legs) for slot in slots} == {0: FULL, 5: FULL, 2: FULL}


def test_beyond_all_slots_they_fill_evenly():
    clock = RtpClock(0)
    _, slots = placed(clock, SLOTS * FULL + 50)
    sizes = {slot.number: len(slot.legs) for slot in slots}
    assert sorted(sizes.values()) == [FULL + 5] * SLOTS


def test_a_place_that_was_left_is_taken_first():
    clock = RtpClock(0)
    legs, slots = placed(clock, FULL + 1)
    slots[0].remove(legs[0])
    assert clock.place(RecordedLeg(), 0) is slots[0]


@pytest.mark.parametrize("stall_ms", [3, 15, 70, 1000])
def test_after_a_stall_nothing_is_caught_up(stall_ms):
    clock = RtpClock(0)
    legs, _ = placed(clock, 300)
    serve(clock, legs, 0, 2500 * MS, stalls=[(500 * MS, (500 + stall_ms) * MS)])
    for leg in legs:
        after = [time for time in leg.times if time >= (500 + stall_ms) * MS]
        # at most the one late frame before the rhythm is as it was
        assert {later - earlier for earlier, later in pairwise(after[1:])} == {PERIOD_NS}
        assert after[1] - after[0] <= PERIOD_NS
        assert len(leg.times) + leg.skipped_frames in (124, 125)
        assert (leg.skipped_frames > 0) == (stall_ms > 20)


def test_the_timestamp_after_a_stall_tells_the_true_time():
    clock = RtpClock(0)
    legs, (slot,) = placed(clock, 1)
    stamps = []
    legs[0].sender.send = lambda data: stamps.append(int.from_bytes(data[4:8], "big"))
    serve(clock, legs, 0, 600 * MS, stalls=[(200 * MS, 333 * MS)])
    steps = [after - before for before, after in pairwise(stamps)]
    assert sorted(set(steps)) == [160, 160 * 7]
    assert stamps[-1] - stamps[0] == clock.media_time(slot, 580 * MS) - clock.media_time(slot, PERIOD_NS)


def test_after_an_idle_hour_the_first_frame_is_not_late():
    clock = RtpClock(0)
    hour = 3_600_000 * MS
    leg = RecordedLeg()
    clock.place(leg, hour)
    turn = clock.next_turn(hour)
    assert hour < turn.due_ns <= hour + PERIOD_NS + PERIOD_NS // SLOTS
    assert turn.slot.skip_to(turn.period) == 0


def test_a_leg_on_hold_keeps_its_slot_and_is_not_sent_to():
    clock = RtpClock(0)
    legs, slots = placed(clock, 2)
    legs[0].sends = False
    slots[0].hold(legs[0])
    serve(clock, legs, 0, 100 * MS)
    assert (len(legs[0].times), len(legs[1].times) > 3) == (0, True)
    legs[0].sends = True
    slots[0].hold(legs[0])
    serve(clock, legs, 100 * MS, 200 * MS)
    assert len(legs[0].times) > 3


def test_a_removed_leg_is_forgotten():
    clock = RtpClock(0)
    legs, slots = placed(clock, 1)
    slots[0].remove(legs[0])
    assert clock.next_turn(0) is None
