"""P.56 against signals whose active level is known by calculation."""

import numpy as np
import pytest

from prompts import levels

RATE = 8000


def _tone(dbov: float, seconds: float) -> levels.Samples:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(np.sqrt(2) * 10 ** (dbov / 20) * np.sin(2 * np.pi * 1000 * at))


def _noise(dbov: float, seconds: float) -> levels.Samples:
    noise = np.random.default_rng(7).normal(size=round(seconds * RATE))
    return np.asarray(10 ** (dbov / 20) * noise / np.sqrt(np.mean(noise**2)))


@pytest.mark.parametrize("dbov", [-40.0, -26.0, -15.0])
def test_a_steady_signal_is_as_loud_as_its_rms_and_active_all_the_time(dbov: float) -> None:
    found = levels.speech_level(_noise(dbov, 5.0), RATE)
    assert found.active_dbov == pytest.approx(dbov, abs=0.3)
    assert found.activity == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("pause_seconds", [1.0, 3.0, 8.0])
def test_pauses_do_not_lower_the_level_except_for_the_hangover(pause_seconds: float) -> None:
    bursts = [_noise(-26.0, 2.0), np.zeros(round(pause_seconds * RATE))] * 3
    found = levels.speech_level(np.concatenate(bursts), RATE)
    long_term = -26.0 + 10 * np.log10(2.0 / (2.0 + pause_seconds))
    with_hangover = -26.0 + 10 * np.log10(2.0 / 2.3)  # 0.2 s of hangover and the envelope's decay count as speech
    assert found.active_dbov == pytest.approx(with_hangover, abs=0.4)
    assert found.active_dbov > long_term + 1.0
    assert found.activity == pytest.approx(2.3 / (2.0 + pause_seconds), rel=0.1)


def test_faint_noise_between_the_words_is_not_taken_for_speech() -> None:
    speech = np.concatenate([_noise(-26.0, 2.0), np.zeros(3 * RATE)] * 3)
    clean = levels.speech_level(speech, RATE).active_dbov
    assert levels.speech_level(speech + _noise(-65.0, 15.0), RATE).active_dbov == pytest.approx(clean, abs=0.1)


@pytest.mark.parametrize("gain_db", [-20.0, -6.02, 3.0, 10.0])
def test_the_level_follows_the_gain(gain_db: float) -> None:
    speech = np.concatenate([_noise(-30.0, 1.0), np.zeros(RATE), _noise(-24.0, 0.5)])
    before = levels.speech_level(speech, RATE).active_dbov
    after = levels.speech_level(speech * 10 ** (gain_db / 20), RATE).active_dbov
    assert after - before == pytest.approx(gain_db, abs=0.3)


def test_the_fast_envelope_is_the_filter_of_the_recommendation_sample_by_sample() -> None:
    samples = _noise(-26.0, 0.5)
    g = np.exp(-1 / (RATE * 0.03))
    p = q = 0.0
    expected = []
    for sample in samples:
        p = g * p + (1 - g) * abs(sample)
        q = g * q + (1 - g) * p
        expected.append(q)
    assert np.allclose(levels._envelope(samples, RATE), expected, atol=1e-9)


def test_silence_has_no_level_and_is_never_active() -> None:
    found = levels.speech_level(np.zeros(RATE), RATE)
    assert (found.active_dbov, found.activity, found.peak_dbov) == (levels.SILENT, 0.0, levels.SILENT)


def test_the_peak_is_that_of_the_largest_sample_of_either_sign() -> None:
    assert levels.peak_dbov(np.array([0.1, -0.5, 0.2])) == pytest.approx(-6.02, abs=0.01)
    assert levels.peak_dbov(_tone(-20.0, 1.0)) == pytest.approx(-17.0, abs=0.05)


def test_silence_at_both_ends_is_measured_to_a_frame() -> None:
    ends = levels.silence_at_ends(np.concatenate([np.zeros(2400), _tone(-20.0, 1.0), np.zeros(4000)]), RATE)
    assert ends.leading_seconds == pytest.approx(0.3, abs=0.01)
    assert ends.trailing_seconds == pytest.approx(0.5, abs=0.01)
    assert levels.silence_at_ends(np.zeros(RATE), RATE) == levels.Ends(1.0, 1.0)
