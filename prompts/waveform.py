"""From any sound to what the line carries: 8 kHz, mono, 16-bit, band-limited to 200-3400 Hz; and WAV files of it.

Filtering and resampling happen in one Fourier transform of the whole (short) recording: exact, linear-phase and the
same on every machine.
"""

import io
import wave
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prompts.catalogue import PromptError
from prompts.levels import Samples, frame_levels, peak_dbov, speech_level

RATE = 8000
LOW_HERTZ, HIGH_HERTZ, SLOPE_HERTZ = 200.0, 3400.0, 100.0  # half amplitude at the edges, full 100 Hz inside
TARGET_DBOV = -26.0
PEAK_LIMIT_DBOV = -3.0
FADE_SECONDS = 0.005
MIN_PAUSE_SECONDS = 0.05


class NotARecording(PromptError):
    """The file holds no sound that can be read."""


@dataclass(frozen=True, slots=True)
class Wav:
    """A WAV file's content: the header's words and its samples as floats, channels mixed down."""

    rate: int
    channels: int
    bits: int
    samples: Samples


def read_wav(path: Path) -> Wav:
    """Read a PCM WAV file; raises NotARecording with a sentence."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            promised, data = file.getnframes(), file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise NotARecording(f"{path.name}: not a readable WAV file ({error})") from error
    if len(data) < promised * channels * width:
        raise NotARecording(f"{path.name}: cut off, {len(data)} of {promised * channels * width} bytes of sound")
    if width != 2:
        return Wav(rate, channels, 8 * width, np.zeros(0))
    samples = np.frombuffer(data, "<i2").astype(np.float64) / 32768
    return Wav(rate, channels, 16, samples.reshape(-1, channels).mean(axis=1))


def wav_bytes(samples: Samples) -> bytes:
    """Write samples at 8 kHz as a mono 16-bit WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(to_pcm(samples).astype("<i2").tobytes())
    return buffer.getvalue()


def to_pcm(samples: Samples) -> NDArray[np.int16]:
    """Round to 16 bits, clipping at the ends of the scale."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def to_telephone_band(samples: Samples, rate: int, to_rate: int = RATE) -> Samples:
    """Keep 200-3400 Hz and change the rate; the length stays, to the nearest sample."""
    step = rate // gcd(rate, to_rate)  # whole steps stay whole samples at the new rate
    padding = step * -(-rate // (4 * step))  # a quarter of a second keeps the ends from wrapping into each other
    size = samples.size + 2 * padding
    size += -size % step
    spectrum = np.fft.rfft(np.pad(samples, (padding, size - samples.size - padding)))
    spectrum *= _band(np.asarray(np.fft.rfftfreq(size, 1 / rate), dtype=np.float64))
    out_size = size * to_rate // rate
    kept = np.zeros(out_size // 2 + 1, dtype=np.complex128)
    count = min(kept.size, spectrum.size)
    kept[:count] = spectrum[:count]
    out = np.fft.irfft(kept, out_size) * (out_size / size)
    start = padding * to_rate // rate
    return np.asarray(out[start : start + round(samples.size * to_rate / rate)])


def trim(samples: Samples, rate: int, *, below_peak_db: float = 50.0, keep_seconds: float = 0.03) -> Samples:
    """Cut silence from both ends, leaving `keep_seconds` of what stands there, faded in and out."""
    size = rate // 200
    levels = frame_levels(samples, size)
    loud = np.flatnonzero(levels > levels.max(initial=-np.inf) - below_peak_db)
    if loud.size == 0:
        raise NotARecording("there is only silence in it")
    keep = round(keep_seconds * rate)
    cut = samples[max(0, loud[0] * size - keep) : (loud[-1] + 1) * size + keep].copy()
    ramp = np.linspace(0, 1, round(FADE_SECONDS * rate), endpoint=False)
    cut[: ramp.size] *= ramp
    cut[-ramp.size :] *= ramp[::-1]
    return cut


def after_pause(samples: Samples, rate: int, *, below_peak_db: float = 35.0) -> Samples:
    """Keep what follows the longest pause inside; raises NotARecording if there is no pause."""
    size = rate // 200
    levels = frame_levels(samples, size)
    loud = np.flatnonzero(levels > levels.max(initial=-np.inf) - below_peak_db)
    gaps = np.diff(loud)
    if gaps.size == 0 or gaps.max() * size < MIN_PAUSE_SECONDS * rate:
        raise NotARecording("there is no pause to cut at")
    longest = int(gaps.argmax())
    return samples[(loud[longest] + loud[longest + 1]) // 2 * size :]


def normalise(samples: Samples, rate: int = RATE) -> Samples:
    """Bring the active speech level to -26 dBov, or as near as peaks at -3 dBov allow."""
    for _ in range(3):  # P.56 interpolates between thresholds 6 dB apart, so one step lands within 0.2 dB only
        gain = TARGET_DBOV - speech_level(samples, rate).active_dbov
        samples = samples * 10 ** (min(gain, PEAK_LIMIT_DBOV - peak_dbov(samples)) / 20)
    return samples


def silence(seconds: float) -> Samples:
    """Nothing, at 8 kHz."""
    return np.zeros(round(seconds * RATE))


def _band(frequencies: Samples) -> Samples:
    rise = np.clip((frequencies - (LOW_HERTZ - SLOPE_HERTZ / 2)) / SLOPE_HERTZ, 0, 1)
    fall = np.clip(((HIGH_HERTZ + SLOPE_HERTZ / 2) - frequencies) / SLOPE_HERTZ, 0, 1)
    return np.asarray(np.sin(rise * np.pi / 2) ** 2 * np.sin(fall * np.pi / 2) ** 2)
