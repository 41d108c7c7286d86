"""Prompts that a test can hear: each is a pure tone of its own frequency, so a phone can tell which one plays.

Frequencies are multiples of 50 Hz: one 20 ms frame of 160 samples holds a whole number of periods.
"""

import wave
from pathlib import Path

import numpy as np
import yaml

GRADES = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
SECONDS = {"ask": 1.0, "ask_again": 0.4, "thanks": 0.3, "fault": 0.3}
OTHERS = ("wrong_key", "heard", "change", "silent", *(f"grade_{grade}" for grade in GRADES))
IDS = (*SECONDS, *OTHERS)
LOWEST = {"zh-CN": 400, "en": 2000}

BY_FREQUENCY = {
    first + 50 * number: (language, prompt) for language, first in LOWEST.items() for number, prompt in enumerate(IDS)
}
RATE = 8000


def make(folder: Path) -> Path:
    """Write a prompts folder (catalogue and WAVs) and give it back."""
    for frequency, (language, prompt) in BY_FREQUENCY.items():
        (folder / language).mkdir(parents=True, exist_ok=True)
        _write(folder / language / f"{prompt}.wav", frequency, SECONDS.get(prompt, 0.1))
    entries = {prompt: {language: {"text": prompt} for language in LOWEST} for prompt in IDS}
    (folder / "catalogue.yaml").write_text(yaml.safe_dump({"prompts": entries}), encoding="utf-8")
    return folder


def _write(path: Path, frequency: int, seconds: float) -> None:
    time = np.arange(round(seconds * RATE)) / RATE
    samples = (10_000 * np.sin(2 * np.pi * frequency * time)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def heard(samples: np.ndarray) -> tuple[str, str] | None:
    """Name (language, prompt) of one 160-sample frame; None for silence and for no tone of ours."""
    spectrum = np.abs(np.fft.rfft(samples))
    strongest = int(np.argmax(spectrum))
    if spectrum[strongest] < 50_000:
        return None
    return BY_FREQUENCY.get(strongest * RATE // len(samples))
