"""Files that prove something. Rule: of a known kind by their own bytes, sealed on disk, their hash in the ledger.

The sealed file lies in a folder beside the database, named by the row's id: key id 1 | nonce 12 | ciphertext | tag 16.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import insert, select

from store.case_act import Office
from store.database import reading, writing
from store.errors import CipherError, NotFound, StoreError, StoreUnavailable
from store.ledger import Written, append_many
from store.privacy import NONCE_BYTES, FieldCipher
from store.schema import Attachment, CaseFile

# what a file begins with, never what it says of itself
KINDS = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"PK\x03\x04": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"RIFF": "audio/wav",
}
LONGEST_NAME = 200


class NotTakeable(StoreError):
    """A file that is no evidence we keep: too large, empty, or of an unknown kind."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An attachment as its row tells of it; `name` is what the sender called it."""

    id: str
    case: str
    sha256: str
    name: str
    media_type: str
    size: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the sealed files lie, and how large one may be."""

    folder: Path
    most_bytes: int


def kind(data: bytes) -> str:
    """Say what a file is by how it begins; `NotTakeable` for any other kind."""
    for begins, media_type in KINDS.items():
        if data.startswith(begins):
            return media_type
    raise NotTakeable("attach a PDF, PNG, JPEG, DOCX or WAV file: this one is none of them")


def attach(office: Office, shelf: Shelf, case: str, data: bytes, *, name: str, by: str, now: datetime) -> Kept:
    """Keep a file as evidence in a case; `NotTakeable`, `NotFound`, or `StoreUnavailable` where the disk takes nothing.

    The file is on disk before its row is: a row never names what is not there. A file without a row is rubbish that
    nobody can reach.
    """
    if not 0 < len(data) <= shelf.most_bytes:
        raise NotTakeable(f"attach a file of at most {shelf.most_bytes // 2**20} MiB, and not an empty one")
    kept = Kept(str(uuid4()), case, hashlib.sha256(data).hexdigest(), plain_name(name), kind(data), len(data), by, now)
    with reading(office.engine) as connection:
        if connection.scalar(select(CaseFile.id).where(CaseFile.id == case)) is None:
            raise NotFound(f"there is no case {case}")
    _write(_path(shelf, kept.id), FieldCipher(office.keys.fields).seal_bytes(data, kept.id.encode(), _nonce()))
    with writing(office.engine) as connection:
        row = {field: getattr(kept, field) for field in Kept.__slots__}
        connection.execute(insert(Attachment), [row])
        append_many(connection, office.keys, [Written("attachment", kept.id, row)], now)
    return kept


def fetch(office: Office, shelf: Shelf, case: str, attachment: str) -> tuple[Kept, bytes]:
    """Give an attachment of a case and its clear bytes; `NotFound`, or `CipherError` where the file was changed."""
    columns = [getattr(Attachment, name) for name in Kept.__slots__]
    with reading(office.engine) as connection:
        wanted = select(*columns).where(Attachment.id == attachment, Attachment.case == case)
        row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no attachment {attachment} in case {case}")
    kept = Kept(**row)
    try:
        sealed = _path(shelf, kept.id).read_bytes()
    except OSError as error:
        raise StoreUnavailable(f"the attachment {kept.id} cannot be read: {error.strerror}") from error
    data = FieldCipher(office.keys.fields).open_bytes(sealed, kept.id.encode())
    if hashlib.sha256(data).hexdigest() != kept.sha256:
        raise CipherError(f"the attachment {kept.id} is not the file that was attached")
    return kept, data


def plain_name(name: str) -> str:
    """Keep the last part of a name, without anything that is no printable character."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(mark for mark in last if mark.isprintable())[:LONGEST_NAME].strip(" .") or "attachment"


def _path(shelf: Shelf, attachment: str) -> Path:
    return shelf.folder / attachment[:2] / f"{attachment}.sealed"


def _write(path: Path, sealed: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreUnavailable(f"attachments cannot be written to {path.parent}: {error.strerror}") from error


def _nonce() -> bytes:
    return secrets.token_bytes(NONCE_BYTES)
