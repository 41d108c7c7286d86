"""One press is one key: whatever packets are lost, doubled or out of order."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.media.errors import MalformedPacket
from ivr.media.rtp import RtpPacket
from ivr.media.telephone_event import KEYS, REMEMBERED, TelephoneEvents

SSRC = 0x5EED


def train(event: int, timestamp: int, *, updates: int = 4, ends: int = 3, ssrc: int = SSRC, sequence: int = 0):
    """All packets of one press: marker on the first, growing durations, the end told three times."""
    durations = [160 * (n + 1) for n in range(updates)] + [160 * (updates + 1)] * ends
    return [
        RtpPacket(
            101,
            marker=n == 0,
            sequence=sequence + n,
            timestamp=timestamp,
            ssrc=ssrc,
            payload=bytes([event, (0x80 if n >= updates else 0) | 10]) + duration.to_bytes(2, "big"),
        )
        for n, duration in enumerate(durations)
    ]


def keys(packets, reader=None) -> str:
    reader = reader or TelephoneEvents()
    return "".join(filter(None, map(reader.accept, packets)))


@pytest.mark.parametrize("event", range(16))
def test_each_event_is_its_key(event):
    assert keys(train(event, 1000)) == KEYS[event]


@pytest.mark.parametrize("event", [16, 17, 32, 66, 255])
def test_flash_and_tones_are_no_keys(event):
    assert keys(train(event, 1000)) == ""


@pytest.mark.parametrize("kept", range(7))
def test_any_single_packet_of_a_press_is_enough(kept):
    assert keys([train(2, 1000)[kept]]) == "2"


def test_every_order_of_the_packets_gives_one_key():
    packets = train(5, 77, updates=3, ends=3)
    assert {keys(order) for order in permutations(packets)} == {"5"}


def test_every_order_of_two_presses_of_one_key_gives_two():
    packets = train(1, 800, updates=2, ends=1) + train(1, 2400, updates=2, ends=1)
    assert {keys(order) for order in permutations(packets)} == {"11"}


def test_the_same_timestamp_from_another_source_is_another_press():
    assert keys(train(3, 500) + train(3, 500, ssrc=SSRC + 1)) == "33"


def test_the_timestamp_may_wrap():
    assert keys(train(4, 0xFFFFFFFF) + train(4, 0x0000_0A00)) == "44"


def test_a_press_of_twenty_seconds_in_segments_is_one_key():
    first = train(6, 0xFFFF0000, updates=6, ends=0)
    later = [packet for n in (1, 2) for packet in train(6, (0xFFFF0000 + n * 0xFFFF) & 0xFFFFFFFF, updates=6)]
    unmarked = [
        RtpPacket(101, marker=False, sequence=p.sequence, timestamp=p.timestamp, ssrc=p.ssrc, payload=p.payload)
        for p in later
    ]
    assert keys(first + unmarked) == "6"


def test_a_marked_press_one_segment_later_is_a_press_of_its_own():
    assert keys(train(6, 0) + train(6, 0xFFFF)) == "66"


def test_memory_is_bounded():
    reader = TelephoneEvents()
    for press in range(10_000):
        reader.accept(train(press % 10, press * 1600)[0])
    assert len(reader._known) == REMEMBERED


@pytest.mark.parametrize("length", range(4))
def test_a_payload_too_short_for_an_event_is_malformed(length):
    with pytest.raises(MalformedPacket):
        TelephoneEvents().accept(
            RtpPacket(101, marker=True, sequence=0, timestamp=0, ssrc=SSRC, payload=b"\x01\x0a\x00\xa0"[:length])
        )


def test_more_than_an_event_in_the_payload_is_read_as_its_first():
    packet = RtpPacket(101, marker=True, sequence=0, timestamp=0, ssrc=SSRC, payload=b"\x07\x0a\x00\xa0\x08\x0a")
    assert keys([packet]) == "7"


def through_a_bad_line(packets, chance: random.Random, loss: float):
    """Lose, double and delay: a packet may arrive up to 150 ms later than those behind it."""
    arrivals = []
    for at, packet in enumerate(packets):
        for _ in range(1 + (chance.random() < 0.05)):
            if chance.random() >= loss:
                arrivals.append((at + (chance.uniform(0, 7.5) if chance.random() < 0.1 else 0), packet))
    return [packet for _, packet in sorted(arrivals, key=lambda arrival: arrival[0])]


@given(
    presses=st.lists(st.tuples(st.integers(0, 15), st.integers(1, 20), st.integers(1, 3)), max_size=12),
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.05, 0.2, 0.6, 0.9]),
)
def test_on_any_line_a_press_is_one_key_if_any_packet_of_it_arrives(presses, seed, loss):
    packets, timestamp = [], seed
    for event, updates, ends in presses:
        timestamp = (timestamp + 160 * (updates + 5)) & 0xFFFFFFFF
        packets += train(event, timestamp, updates=updates, ends=ends, sequence=len(packets))
    arrived = through_a_bad_line(packets, random.Random(seed), loss)
    expected = list(dict.fromkeys((packet.timestamp, packet.payload[0]) for packet in arrived))
    assert keys(arrived) == "".join(KEYS[event] for _, event in expected)


@pytest.mark.parametrize(("loss", "most_lost"), [(0.0, 0), (0.05, 1), (0.2, 10)])
def test_of_ten_thousand_presses_none_is_doubled_or_wrong_and_hardly_any_lost(loss, most_lost):
    chance = random.Random(4733)
    reader, lost = TelephoneEvents(), 0
    for press in range(10_000):
        event = chance.randrange(12)
        heard = keys(through_a_bad_line(train(event, press * 3200), chance, loss), reader)
        assert heard in ("", KEYS[event])
        lost += heard == ""
    assert lost <= most_lost
