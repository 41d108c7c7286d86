"""A row's history in the order it was written. Rule: what refers to a row is part of it; sealed stays sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from store.database import reading
from store.ledger import kept_tables
from store.schema import Kept, LedgerEntry, SealedChange

_KEYED = frozenset({"caller_index", "request_hash"})  # keyed hashes of what is confidential


@dataclass(frozen=True, slots=True)
class Step:
    """One entry in a row's history. Sealed fields show that they are sealed, never what they hold."""

    seq: int | None
    at: datetime | None
    table: str
    row: str
    values: dict[str, Any]


def history(engine: Engine, table: str, row: str) -> list[Step]:
    """Give a row and all that refers to it, by any number of steps, in the order it was entered."""
    tables = kept_tables()
    with reading(engine) as connection:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        _follow(connection, tables, tables[table][0].c.id == row, table, found)
        ids = [name for _table, name in found]
        change = SealedChange.__table__
        for changed in connection.execute(select(change).where(change.c.row.in_(ids))).mappings():
            found[SealedChange.__tablename__, changed["id"]] = dict(changed)
        entry = LedgerEntry.__table__.c
        wanted = select(entry.seq, entry.at, entry.table_name, entry.row).where(entry.row.in_([n for _t, n in found]))
        entered = {(line.table_name, line.row): (line.seq, line.at) for line in connection.execute(wanted)}
    steps = [
        Step(*entered.get(name, (None, None)), *name, _shown(tables[name[0]][1], values))
        for name, values in found.items()
    ]
    return sorted(steps, key=lambda step: (step.seq is None, step.seq))


def _follow(
    connection: Connection,
    tables: Mapping[str, tuple[Table, Kept]],
    condition: Any,  # noqa: ANN401  SQLAlchemy's expression
    name: str,
    found: dict[tuple[str, str], dict[str, Any]],
) -> None:
    table = tables[name][0]
    new = [
        dict(row)
        for row in connection.execute(select(table).where(condition)).mappings()
        if (name, row["id"]) not in found
    ]
    if not new:
        return
    found |= {(name, row["id"]): row for row in new}
    for other, (referring, _kept) in tables.items():
        for key in referring.foreign_keys:
            if key.column is table.c.id:
                _follow(connection, tables, key.parent.in_([row["id"] for row in new]), other, found)


def _shown(kept: Kept, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: "(sealed)" if name in kept.sealed or name in _KEYED else value
        for name, value in values.items()
        if value not in (None, [])
    }
