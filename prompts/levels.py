"""How loud a recording is, the way telephony measures it: active speech level by ITU-T P.56, peak, silence at its ends.

Samples are float arrays scaled so that 1.0 is the overload point; levels are in dB relative to it (dBov). A recording
is short, so the smoothing filter of P.56 is applied as its impulse response, in one go, not sample by sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

TIME_CONSTANT_SECONDS = 0.03  # P.56 clause 7.2, method B: of each of the two smoothing stages
HANGOVER_SECONDS = 0.2  # speech counts as active for so long after the envelope fell below a threshold
MARGIN_DB = 15.9  # between the active level and the threshold that decides what is active
BITS = 16
FRAME_SECONDS = 0.01
SILENT = float("-inf")


@dataclass(frozen=True, slots=True)
class SpeechLevel:
    """What P.56 says of a recording."""

    active_dbov: float  # -inf for silence
    activity: float  # share of the time that counted as speech, 0..1
    peak_dbov: float


@dataclass(frozen=True, slots=True)
class Ends:
    """Silence before the first and after the last sound, in seconds."""

    leading_seconds: float
    trailing_seconds: float


def decibels(power: float) -> float:
    """10·log10 with silence as -inf."""
    return float(10 * np.log10(power)) if power > 0 else SILENT


def speech_level(samples: Samples, rate: int) -> SpeechLevel:
    """Measure by ITU-T P.56 method B; the level is that of the active parts alone, so pauses don't lower it."""
    energy = float(np.sum(samples**2))
    peak = 2 * decibels(float(np.max(np.abs(samples), initial=0.0)))
    if energy == 0.0:
        return SpeechLevel(SILENT, 0.0, peak)
    thresholds = np.exp2(np.arange(-(BITS - 1.0), 0.0))
    active = _active_counts(_envelope(samples, rate), thresholds, round(HANGOVER_SECONDS * rate))
    level = _where_margin_is_met(energy, active, thresholds, decibels(energy / samples.size))
    return SpeechLevel(level, energy / (10 ** (level / 10) * samples.size), peak)


def peak_dbov(samples: Samples) -> float:
    """Level of the largest sample."""
    return 2 * decibels(float(np.max(np.abs(samples), initial=0.0)))


def silence_at_ends(samples: Samples, rate: int, threshold_dbov: float = -50.0) -> Ends:
    """Find the first and the last 10 ms frame louder than the threshold; of silence both ends are the whole length."""
    size = round(FRAME_SECONDS * rate)
    loud = np.flatnonzero(frame_levels(samples, size) > threshold_dbov)
    if loud.size == 0:
        return Ends(samples.size / rate, samples.size / rate)
    return Ends(loud[0] * size / rate, max(0.0, (samples.size - (loud[-1] + 1) * size) / rate))


def frame_levels(samples: Samples, size: int) -> Samples:
    """RMS level in dBov of each frame of `size` samples, a last partial frame padded with silence."""
    padded = np.pad(samples, (0, -samples.size % size)).reshape(-1, size)
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(np.mean(padded**2, axis=1)))


def _envelope(samples: Samples, rate: int) -> Samples:
    """Rectify and smooth twice: p = g·p + (1-g)·|x|, q = g·q + (1-g)·p, whose response is (1-g)²·(n+1)·gⁿ."""
    g = float(np.exp(-1.0 / (rate * TIME_CONSTANT_SECONDS)))
    n = np.arange(round(30 * TIME_CONSTANT_SECONDS * rate))  # after 30 time constants less than 1e-11 is left
    response = (1 - g) ** 2 * (n + 1) * g**n
    size = 1 << (samples.size + n.size - 1).bit_length()
    product = np.fft.rfft(np.abs(samples), size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[: samples.size])


def _active_counts(envelope: Samples, thresholds: Samples, hangover: int) -> NDArray[np.int64]:
    """For each threshold, count the samples at or above it or within the hangover after such a sample."""
    positions = np.arange(envelope.size)
    counts = []
    for threshold in thresholds:
        last_above = np.maximum.accumulate(np.where(envelope >= threshold, positions, -hangover - 1))
        counts.append(int(np.count_nonzero(positions - last_above <= hangover)))
    return np.array(counts)


def _where_margin_is_met(energy: float, active: NDArray[np.int64], thresholds: Samples, long_term: float) -> float:
    """Interpolate, in dB, the active level that lies MARGIN_DB above the threshold that yields it."""
    met = np.flatnonzero(active > 0)
    if met.size == 0:  # never above the last of 16 bits: no part of it is more active than the rest
        return long_term
    levels = 10 * np.log10(energy / active[met])
    distances = levels - 20 * np.log10(thresholds[met]) - MARGIN_DB
    if distances[0] <= 0:  # softer than the lowest threshold can tell
        return float(levels[0])
    below = np.flatnonzero(distances <= 0)
    if below.size == 0:
        return float(levels[-1])
    high = int(below[0])
    share = distances[high - 1] / (distances[high - 1] - distances[high])
    return float(levels[high - 1] + share * (levels[high] - levels[high - 1]))
