"""Reading the ledger against the tables. Rule: every finding names the row; nothing is mended here.

Entries are read in their order, a chunk at a time, on one snapshot. What they cannot show, a tail that was cut off
together with its rows, shows against an anchor: a head's hash kept somewhere else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, RowMapping, Table, select

from store.chain import GENESIS, entry_hash, row_digest, sealed_hash
from store.database import reading, steady
from store.ledger import Head, head, kept_tables
from store.ledger_beginning import as_written
from store.schema import Kept, LedgerEntry, SealedChange
from store.secret import Keys

_CHUNK = 1000


class Kind(StrEnum):
    """What is wrong."""

    GAP = "gap"  # an entry is missing
    LINK = "link"  # an entry was changed, moved or put in
    CHANGED = "changed"  # a row is not what was entered
    MISSING = "missing"  # a row was entered and is gone
    EXTRA = "extra"  # a row was never entered
    SEALED = "sealed"  # a sealed field is not the one entered, or was deleted without a record
    ANCHOR = "anchor"  # the ledger does not hold the entry an anchor names


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    kind: Kind
    seq: int | None
    table: str | None
    row: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head as it was once, kept outside: `SEQ:HASH`, or the hash alone."""

    seq: int | None
    hash: bytes

    def __str__(self) -> str:
        """Write it as `read_anchor` reads it."""
        return f"{self.seq}:{self.hash.hex()}"


def read_anchor(text: str) -> Anchor:
    """Read `SEQ:HASH` or `HASH` (64 hexadecimal digits); `ValueError` for anything else."""
    number, _, digits = text.strip().rpartition(":")
    found = Anchor(int(number) if number else None, bytes.fromhex(digits))
    if len(found.hash) != len(GENESIS):
        raise ValueError("an anchor's hash has 64 hexadecimal digits")
    return found


def anchor(engine: Engine) -> Anchor:
    """Give the present head, to be kept where this database's administrators cannot change it."""
    with reading(engine) as connection:
        last = head(connection)
    return Anchor(last.seq, last.hash)


def verify(
    engine: Engine,
    keys: Keys,
    *,
    start: int = 1,
    kept_outside: Anchor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Finding]:
    """Find every change, gap, reordering, missing and extra row from entry `start` on.

    Entries before `start` are taken as good. `progress` is told entries read and entries in all.
    """
    with reading(steady(engine)) as connection:
        last = head(connection).seq
        previous = _before(connection, start)
        for chunk in _chunks(connection, start):
            for entry in chunk:
                yield from _links(keys, previous, entry)
                previous = Head(entry["seq"], entry["hash"])
            yield from _rows(connection, keys, chunk)
            if progress:
                progress(previous.seq, last)
        yield from _extra(connection)
        if kept_outside:
            yield from _anchored(connection, kept_outside)


def _before(connection: Connection, start: int) -> Head:
    found = connection.scalar(select(LedgerEntry.hash).where(LedgerEntry.seq == start - 1))
    return Head(start - 1, found or GENESIS)


def _chunks(connection: Connection, start: int) -> Iterator[Sequence[RowMapping]]:
    columns = LedgerEntry.__table__.columns
    last = start - 1
    while True:
        page = select(*columns).where(columns.seq > last).order_by(columns.seq).limit(_CHUNK)
        chunk = connection.execute(page).mappings().all()
        if not chunk:
            return
        yield chunk
        last = chunk[-1]["seq"]


def _links(keys: Keys, previous: Head, entry: RowMapping) -> Iterator[Finding]:
    seq, table, row = entry["seq"], entry["table_name"], entry["row"]
    if seq != previous.seq + 1:
        detail = f"entries {previous.seq + 1} to {seq - 1} are missing"
        yield Finding(Kind.GAP, seq, table, row, detail)
        return  # it follows an entry nobody has: one finding, not two
    expected = entry_hash(
        keys.ledger, previous.hash, seq=seq, at=entry["at"], table=table, row=row, digest=entry["digest"]
    )
    if expected != entry["hash"]:
        detail = "the entry does not follow from the one before: changed, moved, put in, or of another secret key"
        yield Finding(Kind.LINK, seq, table, row, detail)


def _rows(connection: Connection, keys: Keys, chunk: Sequence[RowMapping]) -> Iterator[Finding]:
    """Compare the rows of a chunk of entries, table by table."""
    tables = kept_tables()
    entries: dict[str, dict[str, RowMapping]] = {}
    for entry in chunk:
        entries.setdefault(entry["table_name"], {})[entry["row"]] = entry
    for name, wanted in entries.items():
        if name not in tables:
            yield Finding(Kind.CHANGED, None, name, None, "the ledger names a table this program does not know")
            continue
        yield from _table_rows(connection, keys, *tables[name], wanted)


def _table_rows(
    connection: Connection, keys: Keys, table: Table, kept: Kept, wanted: Mapping[str, RowMapping]
) -> Iterator[Finding]:
    found = connection.execute(select(table).where(table.c.id.in_(list(wanted)))).mappings()
    written = {row.row: row for row in as_written(connection, table, kept, [dict(row) for row in found])}
    changes = _sealed_changes(connection, table.name, list(wanted)) if kept.sealed else {}
    for name, entry in wanted.items():
        row = written.get(name)
        if row is None:
            yield Finding(Kind.MISSING, entry["seq"], table.name, name, "the row was entered and is gone")
            continue
        sealed = entry["sealed"] or {}
        plain = {field: value for field, value in row.fields.items() if field not in kept.sealed | kept.loose}
        if row_digest(keys.ledger, (table.name, name), plain, sealed, row.parts) != entry["digest"]:
            yield Finding(Kind.CHANGED, entry["seq"], table.name, name, "the row is not what was entered")
        now_sealed = sealed | changes.get(name, {})
        for field in sorted(kept.sealed):
            if detail := _sealed_fault(row.fields[field], now_sealed.get(field)):
                yield Finding(Kind.SEALED, entry["seq"], table.name, name, f"{field}: {detail}")


def _sealed_fault(value: object, expected: str | None) -> str | None:
    match value:
        case None:
            return "deleted without a record" if expected else None
        case bytes():
            return None if sealed_hash(value) == expected else "not the ciphertext that was entered"
        case _:
            return "no ciphertext"


def _sealed_changes(connection: Connection, table: str, rows: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """Give the last known hash of each field that was sealed anew or deleted since; they come in the ledger's order."""
    change = SealedChange.__table__.c
    entered = LedgerEntry.__table__.c
    statement = (
        select(change.row, change.field, change.hash)
        .join(LedgerEntry.__table__, (entered.row == change.id) & (entered.table_name == SealedChange.__tablename__))
        .where(change.table_name == table, change.row.in_(rows))
        .order_by(entered.seq)
    )
    found: dict[str, dict[str, str | None]] = {}
    for row, field, hash_ in connection.execute(statement):
        found.setdefault(row, {})[field] = hash_
    return found


def _extra(connection: Connection) -> Iterator[Finding]:
    """Find rows no entry names."""
    entry = LedgerEntry.__table__
    for name, (table, _kept) in kept_tables().items():
        statement = (
            select(table.c.id)
            .outerjoin(entry, (entry.c.row == table.c.id) & (entry.c.table_name == name))
            .where(entry.c.seq.is_(None))
            .order_by(table.c.id)
        )
        for row in connection.execution_options(yield_per=_CHUNK).scalars(statement):
            yield Finding(Kind.EXTRA, None, name, row, "the row was never entered")


def _anchored(connection: Connection, kept_outside: Anchor) -> Iterator[Finding]:
    entry = LedgerEntry.__table__.c
    held = select(entry.seq).where(entry.hash == kept_outside.hash)
    if kept_outside.seq == 0:
        return
    if kept_outside.seq is not None:
        held = held.where(entry.seq == kept_outside.seq)
    if connection.scalar(held) is None:
        last = head(connection).seq
        detail = f"the ledger, now {last} entries long, does not hold the entry of the anchor: cut off or rewritten"
        yield Finding(Kind.ANCHOR, kept_outside.seq, None, None, detail)
