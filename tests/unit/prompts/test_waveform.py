"""The chain from any sound to the line's."""

import numpy as np
import pytest

from prompts import levels, waveform


def _tone(hertz: float, rate: int, seconds: float = 1.0) -> levels.Samples:
    return np.asarray(0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate))


def _rms(samples: levels.Samples) -> float:
    return levels.decibels(float(np.mean(samples[1000:-1000] ** 2)))


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_what_the_band_holds_arrives_whole_at_any_rate(rate: int) -> None:
    out = waveform.to_telephone_band(_tone(1000, rate), rate)
    assert out.size == 8000
    assert _rms(out) == pytest.approx(_rms(_tone(1000, rate)), abs=0.05)
    assert np.max(np.abs(out[1000:-1000] - _tone(1000, 8000)[1000:-1000])) < 1e-3


@pytest.mark.parametrize("hertz", [50, 120, 3600, 3900, 5000, 7000])
def test_what_lies_outside_the_band_is_gone_and_nothing_folds_back(hertz: int) -> None:
    assert _rms(waveform.to_telephone_band(_tone(hertz, 24000), 24000)) < _rms(_tone(hertz, 24000)) - 50


def test_trimming_keeps_the_sound_and_a_breath_before_it() -> None:
    sound = np.concatenate([np.zeros(24000), _tone(500, 24000), np.zeros(12000)])
    assert waveform.trim(sound, 24000).size == pytest.approx(24000 * 1.06, abs=400)


def test_only_silence_is_no_recording() -> None:
    with pytest.raises(waveform.NotARecording, match="only silence"):
        waveform.trim(np.zeros(8000), 8000)


def test_normalising_reaches_the_level_exactly() -> None:
    noise = np.random.default_rng(1).normal(scale=0.01, size=16000)
    assert levels.speech_level(waveform.normalise(noise), 8000).active_dbov == pytest.approx(-26.0, abs=0.05)


def test_a_peaky_sound_stays_softer_rather_than_peak_over_the_limit() -> None:
    clicks = np.zeros(16000)
    clicks[::800] = 0.01
    assert levels.peak_dbov(waveform.normalise(clicks)) == pytest.approx(-3.0, abs=0.01)


def test_samples_beyond_the_scale_are_clipped_not_wrapped() -> None:
    assert waveform.to_pcm(np.array([2.0, -2.0, 0.5])).tolist() == [32767, -32768, 16384]
