"""The detail tags of a grade (6.1). Rule: a tag belongs to one grade; the table is data and has a version.

PURE: the file's text comes as an argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from store.grade import Grade


class TagTableMistake(Exception):
    """The table's file is not one."""


@dataclass(frozen=True, slots=True)
class TagTable:
    """One version: the tags of each grade by code, in the order they are shown."""

    version: str
    tags: Mapping[Grade, Mapping[str, str]]

    def misfits(self, grade: Grade, codes: Sequence[str]) -> list[int]:
        """Give the places of codes that are no tags of this grade, or stand there a second time."""
        own = self.tags.get(grade, {})
        return [place for place, code in enumerate(codes) if code not in own or code in codes[:place]]


def parse(text: str) -> TagTable:
    """Read a table; raises `TagTableMistake` with what is wrong."""
    try:
        content = yaml.safe_load(text)
        version, grades = _text(content["version"]), content["grades"]
        tags = {Grade(name): {_text(code): _text(label) for code, label in own.items()} for name, own in grades.items()}
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise TagTableMistake(f"the tag table cannot be read: {error}") from error
    codes = [code for own in tags.values() for code in own]
    if twice := {code for code in codes if codes.count(code) > 1}:
        raise TagTableMistake(f"a tag has one grade: {', '.join(sorted(twice))} stands under two")
    return TagTable(version, tags)


def _text(value: object) -> str:
    """Refuse what YAML read as a number: `010` would be 8."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} must be text in quotes")
    return value
