"""Sealing everything anew with the present key and suite. Rule: a batch is one transaction; done rows are told by their
first byte, so whatever was interrupted goes on where it stopped.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, LargeBinary, func, literal, select

from store.database import reading, writing
from store.errors import CipherError, StoreUnavailable
from store.privacy import NONCE_BYTES, FieldCipher
from store.sealed_field import Change, SealedField, Why, change, next_rows, sealed_fields
from store.secret import Keys
from store.traces import wipe


@dataclass(frozen=True, slots=True)
class Resealed:
    """One batch: of which field, how many were sealed anew, and which ids no known key opens."""

    of: str
    count: int
    closed: tuple[str, ...] = ()


def to_do(engine: Engine, keys: Keys, files: Path) -> int:
    """Count what another key or suite than the present one has sealed."""
    cipher = FieldCipher(keys.fields)
    with reading(engine) as connection:
        rows = sum(
            connection.scalar(select(func.count()).where(of.column.is_not(None), _old(of, cipher))) or 0
            for of in sealed_fields()
        )
    return rows + sum(1 for _path in _old_files(files, cipher))


def rekey(engine: Engine, keys: Keys, files: Path, clock: Callable[[], datetime]) -> Iterator[Resealed]:
    """Seal anew all fields, then all files under `files`, reporting each batch; what does not open stays as it is."""
    changed = set()
    for of in sealed_fields():
        for batch in _field(engine, keys, of, clock):
            changed.add(of.table.name)
            yield batch
    yield from _files(files, FieldCipher(keys.fields))
    wipe(engine, changed | {"sealed_change"})


def _field(engine: Engine, keys: Keys, of: SealedField, clock: Callable[[], datetime]) -> Iterator[Resealed]:
    cipher, last = FieldCipher(keys.fields), None
    while True:
        with writing(engine) as connection:
            rows = next_rows(connection, of, _old(of, cipher), last)
            changes = [each for row, sealed in rows if (each := _again(cipher, row, sealed))]
            change(connection, keys, of, changes, Why("rekey", "db rekey", clock()))
        if not rows:
            return
        last = rows[-1][0]
        done = {each.row for each in changes}
        yield Resealed(of.name, len(done), tuple(row for row, _sealed in rows if row not in done))


def _again(cipher: FieldCipher, row: str, sealed: bytes) -> Change | None:
    context = row.encode()
    try:
        clear = cipher.open_bytes(sealed, context)
    except CipherError:
        return None
    return Change(row, cipher.seal_bytes(clear, context, secrets.token_bytes(NONCE_BYTES)))


def _old(of: SealedField, cipher: FieldCipher) -> ColumnElement[bool]:
    return func.substr(of.column, 1, 1, type_=LargeBinary()) != literal(cipher.key_id, LargeBinary())


def _files(files: Path, cipher: FieldCipher) -> Iterator[Resealed]:
    for path in _old_files(files, cipher):
        again = _again(cipher, path.stem, path.read_bytes())
        if again is None or again.sealed is None:
            yield Resealed("attachment", 0, (path.stem,))
            continue
        _replace(path, again.sealed)
        yield Resealed("attachment", 1)


def _old_files(files: Path, cipher: FieldCipher) -> Iterator[Path]:
    for path in sorted(files.glob("??/*.sealed")):
        with path.open("rb") as file:
            if file.read(1) != cipher.key_id:
                yield path


def _replace(path: Path, sealed: bytes) -> None:
    """Never a moment without the whole file: the ledger knows its clear bytes' hash, which stays."""
    draft = path.with_suffix(".draft")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise StoreUnavailable(f"the attachment {path} cannot be sealed anew: {error.strerror}") from error
