"""What we know of an evaluation in a target's own words. Rule: a table of data says which; nothing is guessed.

PURE. A bare digit is never stored as a grade here: GB/T 39046 A.8 counts 1 as the best, the provincial interfaces 5, so
the digits stand in each target's own table and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from store.contact import CIVIL_TIME


class Kind(StrEnum):
    """What is reported, each from rows of one table of the ledger."""

    EVALUATION = "evaluation"
    DECISION = "decision"  # adopted or not (9.2)
    REPLY = "reply"  # what was done about a bad one (8.1)

    @property
    def table(self) -> str:
        """The table whose rows these are."""
        return "case_event" if self is Kind.REPLY else str(self)


class Unmappable(Exception):
    """A fact this target's table has no words for: said once, and kept as a dead letter."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one field is filled: `source` names what we know, the rest how it is written."""

    source: str
    codes: str | None = None  # name of a code table
    time: str | None = None  # strftime, in Asia/Shanghai
    join: str | None = None  # between the parts of a list
    number: bool = False  # written as a JSON number
    longest: int | None = None  # characters; more is unmappable, never cut
    needed: bool = False  # unmappable without


@dataclass(frozen=True, slots=True)
class Answers:
    """How a platform's JSON answer is read: the values of `code` that mean taken, and the words of a duplicate."""

    code: str
    message: str
    delivered: frozenset[str]
    duplicate: frozenset[tuple[str, str]]  # (code, message)


@dataclass(frozen=True, slots=True)
class MappingTable:
    """One target's words: fields by kind, code tables by name, which acts on a case are replies."""

    name: str
    version: str
    fields: Mapping[Kind, Mapping[str, Field]]
    codes: Mapping[str, Mapping[str, str]]
    answers: Answers
    acts: frozenset[str] = frozenset()
    variants: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=lambda: MappingProxyType({}))
    channel_codes: str | None = None  # the code table of channels

    def variant(self, name: str) -> "MappingTable":
        """Give the table with a variant's code tables in place of its own; `KeyError` if there is none."""
        return replace(self, codes={**self.codes, **self.variants[name]}, variants={})

    def with_channels(self, codes: Mapping[str, str]) -> "MappingTable":
        """Give the table with a site's own channel codes, as for channels nobody has given a code."""
        if self.channel_codes is None:
            return self
        own = {**self.codes[self.channel_codes], **codes}
        return replace(self, codes={**self.codes, self.channel_codes: own})


def fill(
    table: MappingTable, kind: Kind, facts: Mapping[str, Any], constants: Mapping[str, str]
) -> dict[str, str | int]:
    """Write one record; raises `Unmappable` naming the field and why.

    `facts`: aware datetimes, grades and channels by our names, lists of tags; None where not known. `constants`: what
    a site sends with each record; they never stand in for a fact that is known.
    """
    record: dict[str, str | int] = {name: value for name, value in constants.items() if name not in table.fields[kind]}
    for name, how in table.fields[kind].items():
        value = _written(table, name, how, facts.get(how.source))
        if value is None and name in constants:
            value = constants[name]
        if value is None and how.needed:
            raise Unmappable(f"{name}: {how.source} is not known, and {table.name} needs it")
        if value is not None:
            record[name] = value
    return record


def _written(table: MappingTable, name: str, how: Field, value: object) -> str | int | None:
    if value is None or value in ("", []):
        return None
    text = _coded(table, name, how, value) if how.codes else _plain(how, value)
    if text is not None and how.longest is not None and len(text) > how.longest:
        raise Unmappable(f"{name}: {how.source} has {len(text)} characters, {table.name} takes {how.longest}")
    return int(text) if how.number and text is not None else text


def _coded(table: MappingTable, name: str, how: Field, value: object) -> str | None:
    codes = table.codes[how.codes or ""]
    key = _name(value)
    if key in codes:
        return codes[key]
    if "otherwise" in codes:
        return codes["otherwise"] or None
    raise Unmappable(f"{name}: {table.name} has no code for {how.source} {key}")


def _plain(how: Field, value: object) -> str:
    match value:
        case datetime():
            return value.astimezone(CIVIL_TIME).strftime(how.time or "%Y-%m-%d %H:%M:%S")
        case list() | tuple():
            return (how.join or ",").join(str(part) for part in value)
        case _:
            return _name(value)


def _name(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def channels_without_code(table: MappingTable, channels: Sequence[str]) -> list[str]:
    """Name the channels of a list that this target's table has no code for."""
    if table.channel_codes is None:
        return []
    codes = table.codes[table.channel_codes]
    return [] if "otherwise" in codes else [channel for channel in channels if channel not in codes]
