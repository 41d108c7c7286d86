"""Writes down in catalogue.yaml what rendering and importing did. Its opening comment and its order stay."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from prompts.catalogue import CATALOGUE, Recording


class _Row(list[Any]):
    """A list written on one line."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Row, lambda dumper, row: dumper.represent_sequence("tag:yaml.org,2002:seq", row, flow_style=True)
)


def note(folder: Path, recordings: Mapping[tuple[str, str], Recording]) -> None:
    """Replace the entries of (language, id) in catalogue.yaml, whole or not at all."""
    path = folder / CATALOGUE
    text = path.read_text(encoding="utf-8")
    opening = "".join(line for line in text.splitlines(keepends=True)[: _first_word(text)])
    tree = yaml.safe_load(text)
    for (language, name), recording in recordings.items():
        tree["prompts"][name][language] = _entry(recording)
    for entry in tree["prompts"].values():
        for value in entry.values():
            if isinstance(value, dict) and "phrases_ms" in value:
                value["phrases_ms"] = _Row(_Row(pair) for pair in value["phrases_ms"])
    body = yaml.dump(tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    replace(path, (opening + body).encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)


def _first_word(text: str) -> int:
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines) if line and not line.startswith("#")), len(lines))


def _entry(recording: Recording) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "text": recording.text,
        "voice": recording.voice,
        "licence": recording.licence,
        "source": str(recording.source),
        "approved": recording.approved,
        "sha256": recording.sha256,
        "recipe": recording.recipe,
    }
    if recording.phrases_ms:
        entry["phrases_ms"] = [list(pair) for pair in recording.phrases_ms]
    return entry
