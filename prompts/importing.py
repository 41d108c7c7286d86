"""Takes a person's recording in any format and brings it to the line's: the same chain as a rendered voice."""

import shutil
import warnings
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np

from prompts import recipe
from prompts.catalogue import Prompt, PromptError, Recording, Source
from prompts.levels import Samples
from prompts.rendering import Rendered, join, sha256
from prompts.waveform import normalise, to_telephone_band, trim, wav_bytes

LONGEST_SECONDS = 120


class RecordingRefused(PromptError):
    """The file cannot become a prompt, and why."""


def take(prompt: Prompt, old: Recording, path: Path, *, voice: str, licence: str, approved: bool) -> Rendered:
    """Convert a recording of `old.text`; raises RecordingRefused or NotARecording with a sentence."""
    samples, rate = decode(path)
    if samples.size > LONGEST_SECONDS * rate:
        raise RecordingRefused(f"{path}: longer than {LONGEST_SECONDS} s, no prompt is")
    sound = normalise(to_telephone_band(trim(samples, rate), rate))
    whole, _ = join([sound], prompt.pause_ms)
    wav = wav_bytes(whole)
    new = replace(old, voice=voice, licence=licence, approved=approved, source=Source.RECORDED, sha256=sha256(wav))
    new = replace(new, phrases_ms=(), recipe=recipe.fingerprint(prompt, new, ""))
    return Rendered(wav, new)


def decode(path: Path) -> tuple[Samples, int]:
    """Read any format pydub knows into mono float samples and their rate; all but WAV needs ffmpeg."""
    if not path.is_file():
        raise RecordingRefused(f"{path}: no such file")
    if path.suffix.lower() != ".wav" and shutil.which("ffmpeg") is None:
        raise RecordingRefused(
            f"{path}: a {path.suffix or 'nameless'} file needs ffmpeg: install Debian's package `ffmpeg`, or give a WAV"
        )
    with (
        warnings.catch_warnings()
    ):  # pydub 0.25 complains of Python's audioop and, needlessly here, of a missing ffmpeg
        warnings.simplefilter("ignore")
        pydub = import_module("pydub")
        try:
            sound = pydub.AudioSegment.from_file(path)
        except (pydub.exceptions.CouldntDecodeError, OSError, IndexError, KeyError, ValueError, EOFError) as error:
            raise RecordingRefused(f"{path}: holds no sound that ffmpeg or the WAV reader can decode") from error
    full_scale = float(1 << (8 * sound.sample_width - 1))
    samples = np.array(sound.get_array_of_samples(), dtype=np.float64) / full_scale
    if samples.size == 0:
        raise RecordingRefused(f"{path}: is empty")
    return np.asarray(samples.reshape(-1, sound.channels).mean(axis=1)), int(sound.frame_rate)
