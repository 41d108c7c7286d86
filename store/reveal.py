"""Looking at who gave an evaluation, and in which words (4.9). Rule: who looks and why is stored before it is shown.

What is shown is what was asked for and no more. A contact that retention has emptied shows nothing; the look stands.
"""

import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, select

from store.database import reading, writing
from store.errors import CipherError, NotFound
from store.ledger import keep
from store.privacy import NONCE_BYTES, FieldCipher
from store.query import Page
from store.schema import Call, Contact, Evaluation, Reveal
from store.secret import Keys

LONGEST_REASON = 500


class Confidential(StrEnum):
    """What can be looked at."""

    CALLER = "caller"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Look:
    """Who wants to see what of which contact or call (or evaluation of a call: it has the call's id), and why."""

    subject: str
    fields: Collection[Confidential]
    reason: str
    by: str
    credential: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """The words of one evaluation."""

    evaluation: str
    comment: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What was asked for, in clear; `reveal` is the id of the row that says so."""

    reveal: str
    contact: str | None
    call: str | None
    caller: str | None
    comments: list[Comment]


@dataclass(frozen=True, slots=True)
class RevealRow:
    """One look, as those may read who audit them; `credential` is the API key's owner."""

    id: str
    at: datetime
    by: str
    reason: str
    fields: list[str]
    contact: str | None
    call: str | None
    credential: str | None


def reveal(engine: Engine, keys: Keys, look: Look, now: datetime) -> Shown:
    """Store the look, then give what it is for; `NotFound`, or `CipherError` where no known key opens it."""
    name, cipher = str(uuid4()), FieldCipher(keys.fields)
    with writing(engine) as connection:
        contact, call = _subject(connection, look.subject)
        caller = _caller(connection, cipher, contact, call) if Confidential.CALLER in look.fields else None
        comments = list(_comments(connection, cipher, contact, call)) if Confidential.COMMENT in look.fields else []
        row = {
            "id": name,
            "contact": contact,
            "call": call,
            "fields": sorted(look.fields),
            "reason": cipher.seal(look.reason, name.encode(), secrets.token_bytes(NONCE_BYTES)),
            "by": look.by,
            "credential": look.credential,
            "at": now,
        }
        keep(connection, keys, Reveal, [row], now)
    return Shown(name, contact, call, caller, comments)


def reveals(engine: Engine, cipher: FieldCipher, page: Page, subject: str | None = None) -> Iterator[RevealRow]:
    """Give who looked, oldest first; `subject`: at one contact or call."""
    columns = [getattr(Reveal, name) for name in RevealRow.__slots__]
    with reading(engine) as connection:
        statement = select(*columns)
        if subject is not None:
            contact, call = _subject(connection, subject)
            statement = statement.where(Reveal.contact == contact if contact else Reveal.call == call)
        if page.since is not None:
            statement = statement.where(Reveal.at >= page.since)
        newest = statement.order_by(Reveal.at.desc(), Reveal.id.desc()).limit(page.limit)
        rows = [dict(row) for row in connection.execute(newest).mappings()]
    for row in reversed(rows):
        yield RevealRow(**row | {"reason": _reason(cipher, row)})


def _subject(connection: Connection, wanted: str) -> tuple[str | None, str | None]:
    """Make out the contact, or the call that no contact is bound to."""
    try:
        name = str(UUID(wanted))
    except ValueError:
        by_number = select(Contact.id).where(Contact.number == wanted.strip().upper())
        contact: str | None = connection.scalar(by_number)
        if contact is None:
            raise NotFound(f"there is no contact {wanted}") from None
        return contact, None
    if connection.scalar(select(Contact.id).where(Contact.id == name)) is not None:
        return name, None
    call = connection.execute(select(Call.id, Call.contact).where(Call.id == name)).one_or_none()
    if call is None:
        raise NotFound(f"there is no contact or call {wanted}")
    return (call.contact, None) if call.contact else (None, call.id)


def _caller(connection: Connection, cipher: FieldCipher, contact: str | None, call: str | None) -> str | None:
    """Give the number the contact was registered with, or else the last one that called."""
    called = select(Call.id, Call.caller).where(Call.caller.is_not(None)).order_by(Call.ended_at.desc()).limit(1)
    row: Any = None
    if contact is not None:
        registered = select(Contact.id, Contact.caller).where(Contact.id == contact, Contact.caller.is_not(None))
        row = connection.execute(registered).one_or_none()
        called = called.where(Call.contact == contact)
    else:
        called = called.where(Call.id == call)
    row = row or connection.execute(called).one_or_none()
    return cipher.open(row.caller, row.id.encode()) if row else None


def _comments(connection: Connection, cipher: FieldCipher, contact: str | None, call: str | None) -> Iterator[Comment]:
    of = Evaluation.contact == contact if contact is not None else Evaluation.call == call
    given = select(Evaluation.id, Evaluation.comment).where(of, Evaluation.comment.is_not(None))
    for row in connection.execute(given.order_by(Evaluation.recorded_at, Evaluation.id)):
        yield Comment(row.id, cipher.open(row.comment, row.id.encode()))


def _reason(cipher: FieldCipher, row: dict[str, Any]) -> str:
    try:
        return cipher.open(row["reason"], row["id"].encode())
    except CipherError:
        return "****"
