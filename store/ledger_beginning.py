"""Rows from before the ledger. Rule: they are entered once, by the migration that begins it, and never after."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, select

from store.ledger import Written, append_many, head, kept_tables
from store.schema import Base
from store.schema.base import Kept
from store.secret import Keys

_CHUNK = 1000


def adopt(connection: Connection, keys: Keys, now: datetime) -> int:
    """Enter every row of every kept table into a ledger that is still empty; give how many."""
    if head(connection).seq:
        return 0
    count = 0
    for table, kept in kept_tables().values():
        for written in _rows(connection, table, kept):
            append_many(connection, keys, written, now)
            count += len(written)
    return count


def _rows(connection: Connection, table: Table, kept: Kept) -> Iterator[list[Written]]:
    last = None
    while True:
        page = select(table).order_by(table.c.id).limit(_CHUNK)
        rows = connection.execute(page.where(table.c.id > last) if last else page).mappings().all()
        if not rows:
            return
        last = rows[-1]["id"]
        yield as_written(connection, table, kept, [dict(row) for row in rows])


def as_written(connection: Connection, table: Table, kept: Kept, rows: Sequence[dict[str, Any]]) -> list[Written]:
    """Give rows as read from a table what they are digested with: the child rows that are part of them."""
    parts = {name: _children(connection, name, column, rows) for name, column in kept.parts.items()}
    return [
        Written(table.name, row["id"], row, {name: found.get(row["id"], []) for name, found in parts.items()})
        for row in rows
    ]


def _children(
    connection: Connection, name: str, column: str, rows: Sequence[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    table = Base.metadata.tables[name]
    parent: Column[Any] = table.c[column]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(select(table).where(parent.in_([row["id"] for row in rows]))).mappings():
        found.setdefault(row[column], []).append(dict(row))
    return found
