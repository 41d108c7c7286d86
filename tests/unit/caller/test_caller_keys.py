"""The test caller's key presses on the wire: as RFC 4733 and Q.23 say, checked without the service's own code."""

import struct

import numpy as np
import pytest

from ivr.caller.keys import KEYS, event_packets, tones

Q23 = {
    "1": (697, 1209), "2": (697, 1336), "3": (697, 1477), "A": (697, 1633),
    "4": (770, 1209), "5": (770, 1336), "6": (770, 1477), "B": (770, 1633),
    "7": (852, 1209), "8": (852, 1336), "9": (852, 1477), "C": (852, 1633),
    "*": (941, 1209), "0": (941, 1336), "#": (941, 1477), "D": (941, 1633),
}  # fmt: skip


@pytest.mark.parametrize(("key", "event"), [("0", 0), ("9", 9), ("*", 10), ("#", 11), ("A", 12), ("D", 15)])
def test_a_press_is_a_marker_growing_durations_and_three_ends(key, event):
    packets = event_packets(key, milliseconds=100)
    read = [struct.unpack("!BBH", packet.payload) for packet in packets]
    assert {number for number, _, _ in read} == {event}
    assert [packet.marker for packet in packets] == [True] + [False] * 7
    assert [duration for _, _, duration in read] == [160, 320, 480, 640, 800, 800, 800, 800]
    assert [flags >> 7 for _, flags, _ in read] == [0] * 5 + [1] * 3
    assert {flags & 0x40 for _, flags, _ in read} == {0}, "the reserved bit stays 0"


@pytest.mark.parametrize("key", KEYS)
def test_a_press_in_band_is_the_two_tones_of_its_key(key):
    samples = np.frombuffer(tones(key, milliseconds=100), np.uint8).astype(float) - 128
    spectrum = np.abs(np.fft.rfft(samples))
    strongest = sorted(np.argsort(spectrum)[-2:] * 10)
    assert all(abs(found - wanted) <= 10 for found, wanted in zip(strongest, Q23[key], strict=True))
