"""Recordings as frames ready to send: read and encoded once, for both laws, before the first call."""

import wave
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path

import numpy as np

from ivr.media import g711
from ivr.media.errors import UnusableRecording
from ivr.media.parameters import Codec

LAWS: tuple[Codec, ...] = ("PCMA", "PCMU")
REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Playlist:
    """The frames of several recordings in one row. `starts[i]` is the first frame of `prompts[i]`."""

    frames: list[bytes]
    prompts: tuple[str, ...]
    starts: list[int]

    def place(self, position: int) -> tuple[str, int]:
        """Which prompt the frame at `position` belongs to, and how many milliseconds into it that is."""
        prompt = max(bisect_right(self.starts, position) - 1, 0)
        return self.prompts[prompt], (position - self.starts[prompt]) * g711.FRAME_MS


class PromptFrames:
    """The recordings of all languages; playlists put together once stay for the next call."""

    def __init__(self) -> None:
        self._frames: dict[tuple[Codec, str, str], list[bytes]] = {}
        self._playlists: dict[tuple[Codec, str, tuple[str, ...]], Playlist] = {}

    def load(self, language: str, prompt: str, path: Path) -> None:
        """Read and encode one recording. Raises UnusableRecording with the reason."""
        samples = read_recording(path)
        for law in LAWS:
            self._frames[law, language, prompt] = g711.frames(samples, law)

    def playlist(self, codec: Codec, language: str, prompts: Sequence[str]) -> Playlist:
        """Put recordings in a row. Raises UnusableRecording naming those that are missing."""
        key = (codec, language, tuple(prompts))
        known = self._playlists.get(key)
        return known or self._put_together(key)

    def _put_together(self, key: tuple[Codec, str, tuple[str, ...]]) -> Playlist:
        codec, language, prompts = key
        missing = [prompt for prompt in prompts if (codec, language, prompt) not in self._frames]
        if missing or not prompts:
            raise UnusableRecording(f"no recording in {language}: {', '.join(missing) or 'no prompt named'}")
        parts = [self._frames[codec, language, prompt] for prompt in prompts]
        starts = list(accumulate((len(part) for part in parts[:-1]), initial=0))
        if len(self._playlists) >= REMEMBERED:
            self._playlists.clear()
        made = self._playlists[key] = Playlist(list(chain.from_iterable(parts)), prompts, starts)
        return made


def read_recording(path: Path) -> g711.Samples:
    """The samples of a WAV of 8 kHz, mono, 16 bit. Raises UnusableRecording for anything else."""
    try:
        with wave.open(str(path), "rb") as recording:
            shape = (recording.getframerate(), recording.getnchannels(), recording.getsampwidth())
            octets = recording.readframes(recording.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise UnusableRecording(f"{path.name} cannot be read: {error}") from error
    if shape != (g711.RATE, 1, 2):
        raise UnusableRecording(
            f"{path.name} has {shape[0]} Hz, {shape[1]} channels, {8 * shape[2]} bits, not 8000, 1, 16"
        )
    if not octets:
        raise UnusableRecording(f"{path.name} is empty")
    return np.frombuffer(octets[: len(octets) // 2 * 2], "<i2").astype(np.int16)
