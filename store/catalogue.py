"""Departments, items, desks, operators, platforms as their own systems know them. Rule: never deleted, only versioned.

A code nobody has synchronised yet is no reason to lose a contact or an evaluation: it is stored and flagged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, func, select, text, tuple_

from store.ledger import keep
from store.schema import CatalogueEntry
from store.secret import Keys

_ADVISORY_LOCK = 0x63617461  # "cata"


class Kind(StrEnum):
    """What a catalogue lists; also the name of the field that holds one of its codes."""

    DEPARTMENT = "department"
    ITEM = "item"  # a government service item
    DESK = "desk"  # a window or an agent's place
    OPERATOR = "operator"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as its own system says it."""

    code: str
    name: str
    department: str | None = None
    area: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Synchronised:
    """What a synchronisation changed."""

    added: int
    changed: int
    withdrawn: int
    unchanged: int


def synchronise(
    connection: Connection,
    keys: Keys,
    kind: Kind,
    entries: Sequence[Entry],
    *,
    complete: bool,
    now: datetime,
    credential: str | None = None,
) -> Synchronised:
    """Bring a catalogue to what its own system says; `complete`: entries not named are withdrawn, never deleted.

    Codes are unique in `entries`: the caller has checked it. A change, a withdrawal and a return are new versions.
    """
    if connection.dialect.name == "postgresql":
        # two synchronisations at once would count the same versions
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    held = {row["code"]: dict(row) for row in connection.execute(current(kind)).mappings()}
    rows, added, unchanged = [], 0, 0
    for entry in entries:
        before = held.get(entry.code)
        if before and _same(before, entry):
            unchanged += 1
            continue
        added += before is None
        rows.append(_row(kind, entry, before, now, credential))
    changed = len(rows) - added
    named = {entry.code for entry in entries}
    gone = [row for code, row in held.items() if complete and row["active"] and code not in named]
    rows += [
        row
        | {"id": str(uuid4()), "version": row["version"] + 1, "active": False, "recorded_at": now}
        | {"credential": credential}
        for row in gone
    ]
    keep(connection, keys, CatalogueEntry, rows, now)
    return Synchronised(added, changed, len(gone), unchanged)


def current(kind: Kind | None = None) -> Select[Any]:
    """Give the select of the versions that hold now, withdrawn ones too, by kind and code."""
    newest = select(CatalogueEntry.kind, CatalogueEntry.code, func.max(CatalogueEntry.version))
    newest = newest.group_by(CatalogueEntry.kind, CatalogueEntry.code)
    if kind:
        newest = newest.where(CatalogueEntry.kind == kind)
    columns = CatalogueEntry.__table__.columns
    return (
        select(*columns)
        .where(tuple_(columns.kind, columns.code, columns.version).in_(newest))
        .order_by(columns.kind, columns.code)
    )


def unknown_codes(connection: Connection, fields: Mapping[str, Any]) -> list[str]:
    """Name the fields of a contact or an evaluation whose code no catalogue has ever held."""
    given = {kind: fields[kind] for kind in Kind if fields.get(kind)}
    if not given:
        return []
    pairs = tuple_(CatalogueEntry.kind, CatalogueEntry.code).in_(list(given.items()))
    known = set(connection.scalars(select(CatalogueEntry.kind).where(pairs)))
    return [str(kind) for kind in given if kind not in known]


def _same(row: Mapping[str, Any], entry: Entry) -> bool:
    return bool(
        row["active"]
        and (row["name"], row["department"], row["area"]) == (entry.name, entry.department, entry.area)
        and row["attributes"] == dict(entry.attributes)
    )


def _row(
    kind: Kind, entry: Entry, before: Mapping[str, Any] | None, now: datetime, credential: str | None
) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "kind": kind,
        "code": entry.code,
        "version": before["version"] + 1 if before else 1,
        "name": entry.name,
        "department": entry.department,
        "area": entry.area,
        "active": True,
        "attributes": dict(entry.attributes),
        "recorded_at": now,
        "credential": credential,
    }
