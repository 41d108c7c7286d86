"""Many rows into one table by one statement. Rule: the rows of a plain insert, and its errors for bad ones.

A batch from the delivery has hundreds of rows in four tables. PostgreSQL takes them as one JSON parameter, which costs
neither a round trip for each row nor the parsing of thousands of placeholders; SQLite has neither to save.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, text
from sqlalchemy.dialects import sqlite

from store.errors import StoreError
from store.schema import Base

_WORTH_IT = 8  # rows


class RowUnfit(StoreError):
    """A row no database can take: a time without a zone."""


def insert_rows(connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and len(rows) >= _WORTH_IT:
        connection.execute(text(_statement(table, rows[0])), {"rows": _json(rows)})
    else:
        connection.execute(insert(table), list(rows))


def insert_new(connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert the rows whose `id` is not there yet; give those ids. Give the rows in one order against deadlock."""
    if connection.dialect.name == "postgresql":
        statement = f"{_statement(table, rows[0])} ON CONFLICT (id) DO NOTHING RETURNING CAST(id AS text)"
        return set(connection.scalars(text(statement), {"rows": _json(rows)}))
    ignoring = sqlite.insert(table).on_conflict_do_nothing(index_elements=["id"])
    return set(connection.scalars(ignoring.returning(table.__table__.c.id), list(rows)))


def _statement(table: type[Base], row: Mapping[str, Any]) -> str:
    name = f'"{table.__tablename__}"'
    columns = ", ".join(f'"{column}"' for column in row)
    return (
        f"INSERT INTO {name} ({columns}) SELECT {columns}"  # noqa: S608  names of our own tables
        f" FROM json_populate_recordset(CAST(NULL AS {name}), CAST(:rows AS json))"
    )


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    match value:
        case datetime():
            if value.tzinfo is None:
                raise RowUnfit(f"a time without a zone: {value}")
            return value.astimezone(UTC).isoformat()
        case bytes():
            return f"\\x{value.hex()}"
        case _:
            raise TypeError(f"no column holds a {type(value).__name__}")
