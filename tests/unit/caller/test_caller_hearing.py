"""What the caller hears, with every time passed in."""

import wave

import numpy as np
import pytest

from ivr.caller.hearing import Hearing

LOUD = np.full(160, 3000, np.int16)
QUIET = np.zeros(160, np.int16)


def heard(*sounds: np.ndarray, begin: float = 100.0, timestamp: int = 5000) -> Hearing:
    hearing = Hearing()
    for n, sound in enumerate(sounds):
        hearing.hear((timestamp + 160 * n) & 0xFFFFFFFF, sound, begin + n * 0.02)
    return hearing


def test_a_voice_is_heard_through_the_pauses_of_a_sentence():
    assert heard(LOUD, *[QUIET] * 25).voice(100.5)
    assert not heard(LOUD, *[QUIET] * 45).voice(100.9)
    assert not heard(*[QUIET] * 10).voice(100.1)


@pytest.mark.parametrize(("loud_after", "milliseconds"), [(0, 0), (1, 0), (2, 20), (5, 80)])
def test_how_long_a_voice_went_on_after_a_key(loud_after, milliseconds):
    hearing = heard(*[LOUD] * 10, *[LOUD] * loud_after, *[QUIET] * 20, *[LOUD] * 20)
    stopped = hearing.stopped_after(100.2, now=101.0)
    assert stopped == pytest.approx(milliseconds / 1000, abs=1e-6)


def test_a_voice_that_goes_on_has_not_stopped():
    assert heard(*[LOUD] * 50).stopped_after(100.2, now=101.0) is None


def test_a_stream_that_ends_is_a_voice_that_stopped():
    assert heard(*[LOUD] * 12).stopped_after(100.2, now=101.0) == pytest.approx(0.02)


def samples(path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_the_wav_has_each_packet_in_its_place_whatever_order_it_came_in(tmp_path):
    hearing = Hearing()
    for number, arrived in ((0, 1.0), (3, 1.02), (1, 1.04)):
        hearing.hear((0xFFFFFF60 + 160 * number) & 0xFFFFFFFF, np.full(160, number + 1, np.int16), arrived)
    hearing.save(tmp_path / "heard.wav")
    assert [set(part) for part in np.split(samples(tmp_path / "heard.wav"), 4)] == [{1}, {2}, {0}, {4}]
    assert hearing.seconds() == pytest.approx(0.06)


def test_a_stream_whose_timestamps_jump_is_written_one_after_another(tmp_path):
    hearing = heard(LOUD, LOUD)
    hearing.hear(5000 + 8000 * 7200, LOUD, 101.0)
    hearing.save(tmp_path / "heard.wav")
    assert len(samples(tmp_path / "heard.wav")) == 480


def test_nothing_heard_is_an_empty_wav(tmp_path):
    Hearing().save(tmp_path / "heard.wav")
    assert len(samples(tmp_path / "heard.wav")) == 0
