"""The catalogue of prompts: what is said under each id in each language, and what is known of each recording.

It only reads: the node, the pages and the flow's proof load it, so it imports nothing heavy. A recording that is
missing or unreadable simply has no duration; `prompts check` is what complains.
"""

import wave
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import yaml

CATALOGUE = "catalogue.yaml"


class PromptError(Exception):
    """Anything wrong with a prompt, in one sentence."""


class CatalogueMistake(PromptError):
    """catalogue.yaml cannot be read as a catalogue."""


class UnknownPrompt(PromptError):
    """No such id, or not in that language."""


class Source(StrEnum):
    """Where the sound comes from."""

    RENDERED = "rendered"  # by a speech synthesiser, from the text
    RECORDED = "recorded"  # from a person, by `prompts import`
    GENERATED = "generated"  # a tone


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone instead of words."""

    hertz: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One prompt in one language: what it says and what is known of its WAV."""

    text: str
    voice: str
    licence: str
    source: Source
    approved: bool  # by a native speaker; nothing in this program ever sets it by itself
    sha256: str  # of the whole WAV file
    recipe: str  # hash of text, voice and manner of making it, as they were then
    phrases_ms: tuple[tuple[int, int], ...] = ()  # where each sentence begins and ends in it; unknown if recorded


@dataclass(frozen=True, slots=True)
class Prompt:
    """One id, its pauses and its recordings by language."""

    id: str
    before_grade: bool  # heard before the grade is settled: neutral wording is a duty (DB32/T 4.8)
    pause_ms: int  # between its sentences
    tone: Tone | None
    after: str  # id of the prompt it always follows; both are spoken in one breath and cut apart, or empty
    recordings: Mapping[str, Recording]


@dataclass(frozen=True, slots=True)
class Speaker:
    """The voice chosen for a language."""

    voice: str
    speed: float


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All prompts of one folder: catalogue.yaml beside `<language>/<id>.wav`."""

    folder: Path
    speakers: Mapping[str, Speaker]
    prompts: Mapping[str, Prompt]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `catalogue.yaml` in `folder`; raises CatalogueMistake with one sentence."""
        path = folder / CATALOGUE
        tree = _read(path)
        entries = tree.get("prompts")
        if not isinstance(entries, dict) or not entries:
            raise CatalogueMistake(f"{path}: has no `prompts:`")
        prompts = {str(name): _prompt(path, str(name), entry) for name, entry in entries.items()}
        for prompt in prompts.values():
            before = prompts.get(prompt.after)
            if prompt.after and not (before and set(prompt.recordings) <= set(before.recordings)):
                raise CatalogueMistake(f"{path}: prompt {prompt.id!r} is after {prompt.after!r}, which is not there")
        return cls(folder, _speakers(path, tree.get("voices") or {}), prompts)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that some prompt is recorded in, in order of first mention."""
        return tuple(dict.fromkeys(language for prompt in self.prompts.values() for language in prompt.recordings))

    def recording(self, language: str, id: str) -> Recording:  # noqa: A002  the catalogue's own word
        """The entry of one prompt in one language; raises UnknownPrompt."""
        prompt = self.prompts.get(id)
        if prompt is None:
            raise UnknownPrompt(f"there is no prompt {id!r} in {self.folder / CATALOGUE}")
        if language not in prompt.recordings:
            raise UnknownPrompt(f"prompt {id!r} is not in {language}, only in {', '.join(prompt.recordings)}")
        return prompt.recordings[language]

    def text(self, language: str, id: str) -> str:  # noqa: A002
        """What the prompt says; raises UnknownPrompt."""
        return self.recording(language, id).text

    def path(self, language: str, id: str) -> Path:  # noqa: A002
        """Where its WAV lies or should lie (8 kHz, mono, 16-bit PCM); raises UnknownPrompt."""
        self.recording(language, id)
        return self.folder / language / f"{id}.wav"

    def lead_in(self, language: str, id: str) -> str:  # noqa: A002
        """The text spoken before it in the same breath, empty for most; raises UnknownPrompt."""
        after = self.prompts[id].after
        return self.text(language, after) if after else ""

    def durations(self) -> dict[tuple[str, str], float]:
        """(language, id) → seconds, of every recording that is there and readable."""
        found = ((language, prompt.id) for prompt in self.prompts.values() for language in prompt.recordings)
        seconds = ((key, duration(self.path(*key))) for key in found)
        return {key: length for key, length in seconds if length is not None}


def duration(path: Path) -> float | None:
    """Seconds of a WAV file by its header, None if it is missing or no WAV."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueMistake(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CatalogueMistake(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return tree if isinstance(tree, dict) else {}


def _speakers(path: Path, voices: Mapping[str, Any]) -> dict[str, Speaker]:
    try:
        return {str(name): Speaker(str(one["voice"]), float(one["speed"])) for name, one in voices.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogueMistake(f"{path}: each of `voices:` needs `voice` and `speed`") from error


def _prompt(path: Path, id: str, entry: object) -> Prompt:  # noqa: A002
    where = f"{path}: prompt {id!r}"
    if not isinstance(entry, dict):
        raise CatalogueMistake(f"{where} is not a mapping")
    languages = {str(key): value for key, value in entry.items() if isinstance(value, dict) and key != "tone"}
    if not languages:
        raise CatalogueMistake(f"{where} is in no language")
    tone = entry.get("tone")
    try:
        return Prompt(
            id=id,
            before_grade=bool(entry.get("before_grade", False)),
            pause_ms=int(entry.get("pause_ms", 0)),
            tone=Tone(int(tone["hertz"]), int(tone["milliseconds"])) if tone else None,
            after=str(entry.get("after", "")),
            recordings={language: _recording(value) for language, value in languages.items()},
        )
    except KeyError as error:
        raise CatalogueMistake(f"{where}: {error.args[0]!r} is missing") from error
    except (TypeError, ValueError) as error:
        raise CatalogueMistake(f"{where}: {error}") from error


def _recording(entry: Mapping[str, Any]) -> Recording:
    return Recording(
        text=str(entry["text"]),
        voice=str(entry.get("voice", "")),
        licence=str(entry.get("licence", "")),
        source=Source(entry.get("source", Source.RENDERED)),
        approved=entry.get("approved") is True,
        sha256=str(entry.get("sha256") or ""),
        recipe=str(entry.get("recipe") or ""),
        phrases_ms=tuple((int(start), int(end)) for start, end in entry.get("phrases_ms") or ()),
    )
