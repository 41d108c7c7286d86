"""G.711 against the Recommendation's own tables of decision values, walked segment by segment."""

from itertools import chain, pairwise

import numpy as np
import pytest

from ivr.media import g711

ALL_SAMPLES = np.arange(-32768, 32768).astype(np.int16)


def alaw_by_decision_values(sample: int) -> int:
    """Table 1a/G.711: in units of 2048 for full scale, 32 steps of 1, then 16 steps each of 1·2, 2·2, 4·2 …."""
    magnitude = (sample if sample >= 0 else ~sample) / 16
    decisions = [*range(32), *chain(*(range(32 << k, 64 << k, 2 << k) for k in range(6))), 2048]
    level = next(n for n, (low, high) in enumerate(pairwise(decisions)) if low <= magnitude < high)
    return ((0x80 if sample >= 0 else 0) | level) ^ 0x55


def ulaw_by_decision_values(sample: int) -> int:
    """Table 2a/G.711: in units of 8159 for full scale; every segment has 16 steps, twice as wide as the last's."""
    magnitude = (sample if sample >= 0 else ~sample) >> 2
    decisions = [0, *range(1, 31, 2)]
    for segment in range(1, 8):
        decisions += range((32 << segment) - 33, (64 << segment) - 33, 2 << segment)
    level = max(n for n, low in enumerate(decisions) if low <= magnitude)
    return 0xFF ^ ((0x80 if sample < 0 else 0) | level)


REFERENCE = {"PCMA": alaw_by_decision_values, "PCMU": ulaw_by_decision_values}


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_every_sample_falls_into_the_interval_the_recommendation_names(codec):
    # every decision value is a multiple of 4, so every fourth sample and its neighbours below meet each border
    samples = sorted({*range(-32768, 32768, 4), *range(-32765, 32768, 4), 32767})
    encoded = g711.encode(np.array(samples, np.int16), codec)
    for sample, octet in zip(samples, encoded, strict=True):
        assert octet == REFERENCE[codec](sample), sample


@pytest.mark.parametrize(("codec", "top", "bottom"), [("PCMA", 0xAA, 0x2A), ("PCMU", 0x80, 0x00)])
def test_full_scale_is_the_outermost_code(codec, top, bottom):
    assert g711.encode(np.array([32767, -32768], np.int16), codec) == bytes([top, bottom])


@pytest.mark.parametrize(("codec", "silence"), [("PCMA", 0xD5), ("PCMU", 0xFF)])
def test_digital_silence_is_the_code_of_zero(codec, silence):
    assert g711.encode(np.zeros(3, np.int16), codec) == bytes([silence] * 3)
    assert g711.SILENCE[codec] == bytes([silence])


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_decoding_and_encoding_again_gives_the_same_code(codec):
    codes = bytes(range(256))
    again = g711.encode(g711.decode(codes, codec), codec)
    # µ-law has two zeros, and a 16-bit sample only one
    assert [code for code in codes if again[code] != code] == ([0x7F] if codec == "PCMU" else [])


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_no_sample_moves_by_more_than_half_a_step(codec):
    decoded = g711.decode(g711.encode(ALL_SAMPLES, codec), codec).astype(int)
    error = np.abs(decoded - ALL_SAMPLES.astype(int))
    magnitude = np.abs(ALL_SAMPLES.astype(int))
    inside = magnitude < 32124
    assert (error[inside] <= (magnitude[inside] + 4 * 33) / 32 + 4 * (codec == "PCMU") + 16 * (codec == "PCMA")).all()


def test_decoding_is_monotonic_in_each_sign():
    alaw = g711.decode(bytes(code ^ 0x55 for code in range(0x80, 0x100)), "PCMA")
    ulaw = g711.decode(bytes(range(0xFF, 0x7F, -1)), "PCMU")
    assert (np.diff(alaw.astype(int)) > 0).all()
    assert (np.diff(ulaw.astype(int)) > 0).all()
    assert alaw.max() == 32256
    assert ulaw.max() == 32124


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_a_recording_is_cut_into_frames_and_the_last_filled_with_silence(codec):
    samples = np.full(330, 1000, np.int16)
    frames = g711.frames(samples, codec)
    assert [len(frame) for frame in frames] == [160, 160, 160]
    assert b"".join(frames) == g711.encode(samples, codec) + g711.SILENCE[codec] * 150
