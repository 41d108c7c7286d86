"""Reading a mapping table. Rule: every mistake in the file is found when it is loaded, not when something is sent.

PURE: the file's text comes as an argument.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from store.case import Act
from store.errors import StoreError
from store.exports.mapping import Answers, Field, Kind, MappingTable
from store.grade import Grade

# what `store.exports.gathering` knows
_KNOWN = """
    number contact_number work_order kind matter language channel grade round deemed tags comment caller
    answered_at recorded_at served_at area department department_name item item_name operator operator_name
    desk desk_name platform platform_name adopted reason decided_at act acted_at words
"""
SOURCES = frozenset(_KNOWN.split())
ATTRIBUTES = ("item:", "department:", "platform:")  # then the name of an attribute of the catalogue's entry
_TOP = {"name", "version", "kinds", "codes", "answers", "acts", "variants", "channel_codes"}


class MappingMistake(StoreError):
    """A mapping table that cannot be used, and where."""


def parse(text: str, name: str) -> MappingTable:
    """Read a table; raises `MappingMistake` of one sentence that names the file and the place."""
    try:
        table = _table(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise MappingMistake(f"{name} is no YAML: {' '.join(str(error).split())}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise MappingMistake(f"{name}: {what}") from error
    return table


def _table(content: Mapping[str, Any]) -> MappingTable:
    if not isinstance(content, Mapping):
        raise TypeError("the file holds no table")
    if strange := content.keys() - _TOP:
        raise ValueError(f"{', '.join(sorted(strange))} is nothing a table has")
    codes = {name: _codes(name, own) for name, own in content["codes"].items()}
    fields = {Kind(kind): {_text(name): _field(name, how, codes) for name, how in own.items()}
              for kind, own in content["kinds"].items()}  # fmt: skip
    channels = content.get("channel_codes")
    if Kind.EVALUATION not in fields:
        raise ValueError("kinds: evaluation is missing")
    if channels is not None and channels not in codes:
        raise ValueError(f"channel_codes: there is no code table {channels}")
    _check_grades(fields, codes)
    return MappingTable(
        name=_text(content["name"]),
        version=_text(content["version"]),
        fields=fields,
        codes=codes,
        answers=_answers(content["answers"]),
        acts=frozenset(str(Act(act)) for act in content.get("acts", ())),
        variants=_variants(content.get("variants", {}), codes),
        channel_codes=channels,
    )


def _field(name: str, how: object, codes: Mapping[str, Any]) -> Field:
    """Read `field: source`, or `field: {from: source, …}`."""
    if isinstance(how, str):
        how = {"from": how}
    if not isinstance(how, Mapping):
        raise TypeError(f"{name}: write the name of a source, or a table with `from`")
    more = dict(how)
    source = more.pop("from", None)
    if source not in SOURCES and not str(source).startswith(ATTRIBUTES):
        raise ValueError(f"{name}: there is no source {source}")
    if strange := more.keys() - {"codes", "time", "join", "number", "longest", "needed"}:
        raise ValueError(f"{name}: {', '.join(sorted(strange))} is nothing a field has")
    if "codes" in more and more["codes"] not in codes:
        raise ValueError(f"{name}: there is no code table {more['codes']}")
    return Field(str(source), **more)


def _codes(name: str, own: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(key, name): _text(value, name, empty=key == "otherwise") for key, value in own.items()}


def _variants(content: Mapping[str, Any], codes: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    found = {_text(name): {own: _codes(own, rows) for own, rows in tables.items()} for name, tables in content.items()}
    for name, tables in found.items():
        if strange := tables.keys() - codes.keys():
            raise ValueError(f"variant {name}: there is no code table {', '.join(sorted(strange))}")
    return found


def _check_grades(fields: Mapping[Kind, Mapping[str, Field]], codes: Mapping[str, Mapping[str, str]]) -> None:
    """Let no table send two grades as one, or one grade as nothing."""
    used = {how.codes for own in fields.values() for how in own.values() if how.source == "grade"}
    if not used:
        raise ValueError("kinds: no field holds the grade")
    for name in used:
        if name is None:
            raise ValueError("a field with the grade needs a code table: our names are nobody else's")
        rows = codes[name]
        if rows.keys() != set(Grade) or len(set(rows.values())) != len(Grade):
            raise ValueError(f"codes {name}: the five grades, each with a code of its own")


def _answers(content: Mapping[str, Any]) -> Answers:
    if not content["delivered"]:
        raise ValueError("answers: delivered is empty, so nothing would ever be")
    return Answers(
        code=_text(content["code"]),
        message=_text(content["message"]),
        delivered=frozenset(_text(code, "answers") for code in content["delivered"]),
        duplicate=frozenset((_text(row["code"]), _text(row["message"])) for row in content.get("duplicate", ())),
    )


def _text(value: object, where: str = "", *, empty: bool = False) -> str:
    """Refuse what YAML read as a number or a truth: `01` would be 1, `no` would be false."""
    if not isinstance(value, str) or not (value or empty):
        raise TypeError(f"{where + ': ' if where else ''}{value!r} must be text in quotes")
    return value
