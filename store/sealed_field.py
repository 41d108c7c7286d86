"""The sealed fields of all kept tables, to be changed in batches. Rule: a change and its ledger entry are one.

The ledger knows a sealed field by the hash of its ciphertext, so a new ciphertext, or none, needs a row that says so
(`sealed_change`): docs/decisions/0012-sealed-fields-change.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, select, update

from store.ledger import kept_tables, note_sealed_changes
from store.secret import Keys

BATCH = 500


@dataclass(frozen=True, slots=True)
class SealedField:
    """One column of ciphertext."""

    table: Table
    column: Column[Any]

    @property
    def name(self) -> str:
        """Name it for people: `contact.caller`."""
        return f"{self.table.name}.{self.column.name}"


def sealed_fields() -> Iterator[SealedField]:
    """Give all of them."""
    for table, kept in kept_tables().values():
        for name in sorted(kept.sealed):
            yield SealedField(table, table.c[name])


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one row's field: `sealed` is the new ciphertext, None for deleted."""

    row: str
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Why:
    """For the ledger: the reason, who, and when."""

    reason: str
    by: str
    at: datetime


def next_rows(
    connection: Connection, of: SealedField, condition: ColumnElement[bool], after: str | None = None
) -> Sequence[tuple[str, bytes]]:
    """Give and lock the next rows that hold something and meet the condition, by id."""
    identity = of.table.c.id
    statement = select(identity, of.column).where(of.column.is_not(None), condition).order_by(identity).limit(BATCH)
    if after is not None:
        statement = statement.where(identity > after)
    return [(row, sealed) for row, sealed in connection.execute(statement.with_for_update(of=of.table))]


def change(connection: Connection, keys: Keys, of: SealedField, changes: Sequence[Change], why: Why) -> None:
    """Replace or delete ciphertexts and enter it; call it last in the transaction (`store.ledger`)."""
    if not changes:
        return
    statement = update(of.table).where(of.table.c.id == bindparam("changed")).values({of.column.name: bindparam("new")})
    connection.execute(statement, [{"changed": each.row, "new": each.sealed} for each in changes])
    note_sealed_changes(connection, keys, (_entered(of, each, why) for each in changes), why.at)


def _entered(of: SealedField, change: Change, why: Why) -> Mapping[str, Any]:
    return {
        "table_name": of.table.name,
        "row": change.row,
        "field": of.column.name,
        "sealed": change.sealed,
        "reason": why.reason,
        "by": why.by,
    }
