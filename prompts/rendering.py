"""Speaks the catalogue: sentence by sentence, each brought to the line's band and to one level, equal pauses between.

Every sentence of a prompt goes through the same chain, so no grade is louder, slower or set apart.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from prompts import recipe
from prompts.catalogue import Catalogue, Prompt, Recording, Source
from prompts.kokoro import LICENCE, RATE, Kokoro
from prompts.levels import Samples
from prompts.mandarin import is_mandarin
from prompts.voice_packages import VoiceUnavailable
from prompts.waveform import RATE as LINE_RATE
from prompts.waveform import after_pause, normalise, read_wav, silence, to_telephone_band, trim, wav_bytes

TONE_DBOV = -20.0  # RMS of a generated tone: plain to hear, well below speech peaks
LEADING_SECONDS, TRAILING_SECONDS = 0.04, 0.06

Speak = Callable[[str], tuple[Samples, int]]  # a sentence → samples and their rate


@dataclass(frozen=True, slots=True)
class Work:
    """One recording to be made anew, and what the catalogue will say of it."""

    language: str
    prompt: Prompt
    recording: Recording
    lead_in: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A recording made: its WAV file's content and its entry."""

    wav: bytes
    recording: Recording


def changed(catalogue: Catalogue, engine: str, only: tuple[str, ...] = ()) -> Iterator[Work]:
    """List what must be rendered: text, voice or manner differ from what is noted, or the file is not the noted one.

    A person's recording is never replaced by a synthetic one.
    """
    for prompt in catalogue.prompts.values():
        for language, old in prompt.recordings.items():
            if old.source is Source.RECORDED or (only and prompt.id not in only):
                continue
            lead_in = catalogue.lead_in(language, prompt.id)
            new = _wanted(catalogue, prompt, old, engine, lead_in)
            path = catalogue.path(language, prompt.id)
            if new.recipe != old.recipe or not path.exists() or sha256(path.read_bytes()) != old.sha256:
                yield Work(language, prompt, new, lead_in)


def render(work: Work, speak: Speak) -> Rendered:
    """Make one WAV; the approval of an earlier sound does not carry over."""
    tone = work.prompt.tone
    if tone:
        sounds = [_tone(tone.hertz, tone.milliseconds)]
    else:
        sounds = [
            _sentence(*_spoken(work.lead_in, sentence, speak)) for sentence in recipe.sentences(work.recording.text)
        ]
    samples, marks = join(sounds, work.prompt.pause_ms)
    wav = wav_bytes(samples)
    return Rendered(wav, replace(work.recording, sha256=sha256(wav), approved=False, phrases_ms=marks))


def join(sounds: list[Samples], pause_ms: int) -> tuple[Samples, tuple[tuple[int, int], ...]]:
    """Set sentences one after another with the same pause between all; also where each lies, in ms."""
    parts = [silence(LEADING_SECONDS)]
    marks: list[tuple[int, int]] = []
    at = parts[0].size
    for sound in sounds:
        if marks:
            parts.append(silence(pause_ms / 1000))
            at += parts[-1].size
        parts.append(sound)
        marks.append((at * 1000 // LINE_RATE, (at + sound.size) * 1000 // LINE_RATE))
        at += sound.size
    return np.concatenate([*parts, silence(TRAILING_SECONDS)]), tuple(marks)


def kokoro(catalogue: Catalogue, cache: Path) -> Speak:
    """The neural voice, each sentence by the speaker of its script; raises VoiceUnavailable."""
    voice = Kokoro(cache)

    def speak(sentence: str) -> tuple[Samples, int]:
        chosen = recipe.speaker(catalogue, sentence)
        return voice.speak(sentence, chosen.voice, chosen.speed), RATE

    return speak


def espeak() -> Speak:
    """The fallback; raises VoiceUnavailable if the program is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise VoiceUnavailable("espeak-ng is not installed: install Debian's package `espeak-ng`")

    def speak(sentence: str) -> tuple[Samples, int]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sentence.wav"
            language = "cmn" if is_mandarin(sentence) else "en-gb"
            subprocess.run([program, "-v", language, "-s", "140", "-w", str(path), sentence], check=True)
            wav = read_wav(path)
            return wav.samples, wav.rate

    return speak


def sha256(content: bytes) -> str:
    """Hexadecimal hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def _wanted(catalogue: Catalogue, prompt: Prompt, old: Recording, engine: str, lead_in: str) -> Recording:
    voice = recipe.voice_of(catalogue, prompt, old.text, engine)
    licence = LICENCE if engine == recipe.KOKORO or prompt.tone else "output of a GPL-3.0 program, itself free"
    source = Source.GENERATED if prompt.tone else Source.RENDERED
    new = replace(old, voice=voice, licence=licence, source=source)
    return replace(new, recipe=recipe.fingerprint(prompt, new, lead_in))


def _spoken(lead_in: str, sentence: str, speak: Speak) -> tuple[Samples, int]:
    """Speak a sentence, after its lead-in if it has one: a word said alone is said less clearly."""
    if not lead_in:
        return speak(sentence)
    stop = "。" if is_mandarin(lead_in) else ". "  # the longest pause a voice knows: a comma may have none
    samples, rate = speak(f"{lead_in.rstrip('，：, :')}{stop}{sentence}")
    return after_pause(samples, rate), rate


def _sentence(samples: Samples, rate: int) -> Samples:
    # trimmed before the band is cut: the onset of q, x, s and f lies above it
    return normalise(to_telephone_band(trim(samples, rate), rate))


def _tone(hertz: int, milliseconds: int) -> Samples:
    seconds = np.arange(round(milliseconds * LINE_RATE / 1000)) / LINE_RATE
    ramp = np.clip(np.minimum(seconds, seconds[::-1]) / 0.005, 0, 1)
    amplitude = np.sqrt(2) * 10 ** (TONE_DBOV / 20)
    return np.asarray(amplitude * ramp * np.sin(2 * np.pi * hertz * seconds))
