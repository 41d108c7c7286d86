"""The committed figures of listening (listening.json): which sounds were heard, by what, and how much was misheard.

Figures speak of files by hash: change a recording and its figure is stale.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from prompts.catalogue import Catalogue, PromptError

FILE = "listening.json"
LIMIT = 0.02  # of the units of a language's prompts, misheard at 5 % packet loss
LIMITED = ("zh-CN",)  # the languages whose figure is held to the limit


class FiguresUnreadable(PromptError):
    """listening.json is missing or not what this program wrote."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One prompt: its sound, its length in units, and the share misheard over each line."""

    sha256: str
    units: int
    clean: float
    lossy: float
    lossy_with_tones: float
    understood: tuple[str, ...] = ()  # what was understood where it was not what was said, lossy line


@dataclass(frozen=True, slots=True)
class Overall:
    """Shares misheard over a whole language."""

    clean: float
    lossy: float
    lossy_with_tones: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All prompts of all languages, and how they were listened to."""

    method: Mapping[str, object]
    prompts: Mapping[str, Mapping[str, Figure]]  # language → id → figure

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read listening.json in `folder`; raises FiguresUnreadable."""
        path = folder / FILE
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
            prompts = {
                language: {name: _figure(entry) for name, entry in found["prompts"].items()}
                for language, found in tree["languages"].items()
            }
            return cls(tree["method"], prompts)
        except OSError as error:
            raise FiguresUnreadable(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FiguresUnreadable(f"{path}: not the figures of listening ({error})") from error

    def overall(self, language: str) -> Overall:
        """The language's prompts together, each counting by its length, once."""
        figures = self.prompts.get(language, {}).values()
        units = sum(figure.units for figure in figures) or 1
        return Overall(
            sum(figure.clean * figure.units for figure in figures) / units,
            sum(figure.lossy * figure.units for figure in figures) / units,
            sum(figure.lossy_with_tones * figure.units for figure in figures) / units,
        )

    def content(self) -> bytes:
        """What listening.json holds."""
        languages: dict[str, object] = {}
        for language, figures in self.prompts.items():
            shares = {name: round(share, 4) for name, share in asdict(self.overall(language)).items()}
            languages[language] = shares | {"prompts": {name: _entry(figure) for name, figure in figures.items()}}
        tree = {"method": self.method, "languages": languages}
        return (json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode()


def stale(catalogue: Catalogue, figures: Figures) -> list[tuple[str, str, str]]:
    """List (language, id, what is wrong) of figures that are missing or of another sound than the catalogue's."""
    found = []
    for prompt in catalogue.prompts.values():
        for language, recording in prompt.recordings.items():
            figure = figures.prompts.get(language, {}).get(prompt.id)
            if prompt.tone is not None:
                continue
            if figure is None:
                found.append((language, prompt.id, "was never listened to: run `prompts check --listen`"))
            elif figure.sha256 != recording.sha256:
                found.append(
                    (language, prompt.id, "has changed since it was listened to: run `prompts check --listen`")
                )
    return found


def too_much(figures: Figures) -> list[tuple[str, str, str]]:
    """List the languages whose overall figure is over the limit."""
    over = ((language, figures.overall(language).lossy) for language in LIMITED)
    return [
        (language, "", f"{lossy:.1%} misheard at 5 % packet loss, over the limit of {LIMIT:.0%}")
        for language, lossy in over
        if lossy > LIMIT
    ]


def _figure(entry: Mapping[str, object]) -> Figure:
    understood = entry.get("understood") or []
    if not isinstance(understood, list):
        raise TypeError("`understood` is no list")
    return Figure(
        sha256=str(entry["sha256"]),
        units=int(str(entry["units"])),
        clean=float(str(entry["clean"])),
        lossy=float(str(entry["lossy"])),
        lossy_with_tones=float(str(entry["lossy_with_tones"])),
        understood=tuple(str(text) for text in understood),
    )


def _entry(figure: Figure) -> dict[str, object]:
    entry: dict[str, object] = {
        "sha256": figure.sha256,
        "units": figure.units,
        "clean": round(figure.clean, 4),
        "lossy": round(figure.lossy, 4),
        "lossy_with_tones": round(figure.lossy_with_tones, 4),
    }
    return entry | ({"understood": list(figure.understood)} if figure.understood else {})
