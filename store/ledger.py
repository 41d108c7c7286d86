"""Writing the ledger. Rule: whoever adds a row to a kept table adds its entry in the same transaction, as its last act.

There is one chain, so transactions take turns at its end: `append` waits for whoever is there and holds the place until
the commit. Lock and insert everything else before, or two transactions may wait for each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Table, select, text

from store.bulk import insert_rows
from store.chain import GENESIS, entry_hash, row_digest, sealed_hash
from store.schema import Base, Kept, LedgerEntry, SealedChange
from store.secret import Keys

_ADVISORY_LOCK = 0x6C656467  # "ledg"


@dataclass(frozen=True, slots=True)
class Written:
    """A row just inserted: `fields` by column, `parts` the rows of child tables that belong to it."""

    table: str
    row: str
    fields: Mapping[str, object]
    parts: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry; (0, zeros) for an empty ledger."""

    seq: int
    hash: bytes


def append(  # noqa: PLR0917  one row, said at its insert
    connection: Connection, keys: Keys, table: str, row_id: str, fields: Mapping[str, object], now: datetime
) -> None:
    """Enter one row of a kept table, with the values it was inserted with."""
    append_many(connection, keys, [Written(table, row_id, fields)], now)


def append_many(connection: Connection, keys: Keys, rows: Sequence[Written], now: datetime) -> None:
    """Enter rows in this order; the chain's end is then held until the transaction ends."""
    if not rows:
        return
    digested = [(written, *digest(keys, written)) for written in rows]  # before others have to wait
    take_turn(connection)
    last = head(connection)
    entries = []
    for written, row, sealed in digested:
        seq = last.seq + 1
        link = entry_hash(keys.ledger, last.hash, seq=seq, at=now, table=written.table, row=written.row, digest=row)
        last = Head(seq, link)
        entries.append(_entry(written, last, row, sealed, now))
    insert_rows(connection, LedgerEntry, entries)


def keep(
    connection: Connection, keys: Keys, table: type[Base], rows: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Insert rows into a kept table and enter them."""
    if rows:
        insert_rows(connection, table, rows)
        append_many(connection, keys, [Written(table.__tablename__, row["id"], row) for row in rows], now)


def note_sealed_changes(
    connection: Connection, keys: Keys, changes: Iterable[Mapping[str, Any]], now: datetime
) -> None:
    """Enter that sealed fields were sealed anew or deleted, in the transaction that does it.

    Each change has `table_name`, `row`, `field`, `sealed` (the new ciphertext, or None for deleted), `reason`, `by`.
    """
    names = ("table_name", "row", "field", "reason", "by")
    rows = [
        {name: change[name] for name in names}
        | {"id": str(uuid4()), "at": now}
        | {"hash": None if change["sealed"] is None else sealed_hash(change["sealed"])}
        for change in changes
    ]
    keep(connection, keys, SealedChange, rows, now)


def head(connection: Connection) -> Head:
    """Give the last entry, whose hash stands for the whole ledger before it."""
    last = select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    return Head(row.seq, row.hash) if row else Head(0, GENESIS)


def kept_tables() -> dict[str, tuple[Table, Kept]]:
    """Give the tables the ledger keeps, parents first."""
    return {
        table.name: (table, table.info["ledger"]) for table in Base.metadata.sorted_tables if "ledger" in table.info
    }


_KEPT = kept_tables()


def digest(keys: Keys, written: Written) -> tuple[bytes, dict[str, str]]:
    """Digest a row and give the hashes of its sealed fields; a name that is no column is a mistake of the caller."""
    table, kept = _KEPT[written.table]
    if strange := written.fields.keys() - table.columns.keys() - {None}:
        raise KeyError(f"{written.table} has no column {', '.join(sorted(strange))}")
    plain = {name: value for name, value in written.fields.items() if name not in kept.sealed | kept.loose}
    sealed = {name: sealed_hash(value) for name in kept.sealed if isinstance(value := written.fields.get(name), bytes)}
    parts = {name: written.parts.get(name, ()) for name in kept.parts}
    return row_digest(keys.ledger, (written.table, written.row), plain, sealed, parts), sealed


def _entry(written: Written, place: Head, row: bytes, sealed: Mapping[str, str], now: datetime) -> dict[str, Any]:
    return {
        "seq": place.seq,
        "table_name": written.table,
        "row": written.row,
        "at": now,
        "digest": row,
        "sealed": sealed or None,
        "hash": place.hash,
    }


def take_turn(connection: Connection) -> None:
    """Wait for the chain's end and hold it until the commit; SQLite's writers take turns for the whole database."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
