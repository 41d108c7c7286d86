"""What the caller hears: frames with their times, told apart as voice and silence, and kept as a WAV."""

import wave
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

RATE = 8000
LOUD_DBOV = -45.0
VOICE_GAP_SECONDS = 0.7  # longer than the pauses within a prompt
STOP_GAP_SECONDS = 0.06  # three frames: when a key cut the voice off
MOST_SAMPLES = RATE * 3600

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Frame:
    timestamp: int
    samples: Samples
    arrived: float  # monotonic seconds
    loud: bool


class Hearing:
    """Fed by the RTP thread, asked by the conversation."""

    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self._lock = Lock()

    def hear(self, timestamp: int, samples: Samples, arrived: float) -> None:
        """Take one packet's sound; `arrived` in monotonic seconds."""
        with self._lock:
            self._frames.append(_Frame(timestamp, samples, arrived, _dbov(samples) > LOUD_DBOV))

    def voice(self, now: float) -> bool:
        """Whether somebody is speaking: pauses within a sentence count as speaking."""
        return any(frame.loud and now - frame.arrived < VOICE_GAP_SECONDS for frame in self._recent())

    def stopped_after(self, moment: float, now: float) -> float | None:
        """Seconds from `moment` until the voice fell silent; 0 if it was silent then, None while it still speaks."""
        last_loud = moment
        for frame in self._since(moment):
            if frame.arrived - last_loud > STOP_GAP_SECONDS:
                break
            if frame.loud:
                last_loud = frame.arrived
        return last_loud - moment if now - last_loud > STOP_GAP_SECONDS else None

    def seconds(self) -> float:
        """How much was heard, silence included."""
        with self._lock:
            return sum(len(frame.samples) for frame in self._frames) / RATE

    def save(self, path: Path) -> None:
        """Write a mono 16-bit WAV at 8 kHz, each packet at the place its RTP timestamp gives it."""
        with self._lock:
            frames = list(self._frames)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(_placed(frames).astype("<i2").tobytes())

    def _recent(self) -> list[_Frame]:
        with self._lock:
            return self._frames[-int(VOICE_GAP_SECONDS / 0.02) - 5 :]

    def _since(self, moment: float) -> list[_Frame]:
        with self._lock:
            return [frame for frame in self._frames if frame.arrived >= moment]


def _placed(frames: list[_Frame]) -> Samples:
    if not frames:
        return np.zeros(0, np.int16)
    first = min(frames, key=lambda frame: frame.arrived).timestamp
    places = [(frame.timestamp - first) & 0xFFFFFFFF for frame in frames]
    ends = [place + len(frame.samples) for place, frame in zip(places, frames, strict=True)]
    if max(ends) > MOST_SAMPLES:  # timestamps that jump cannot be placed; one after another is still to be heard
        return np.concatenate([frame.samples for frame in frames])
    sound = np.zeros(max(ends), np.int16)
    for place, frame in zip(places, frames, strict=True):
        sound[place : place + len(frame.samples)] = frame.samples
    return sound


def _dbov(samples: Samples) -> float:
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * float(np.log10(power / 32768.0**2 + 1e-12))
