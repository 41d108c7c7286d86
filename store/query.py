"""What may be read of calls, evaluations and contacts. Rule: rows are values; a caller's number leaves masked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Select, select
from sqlalchemy.orm import InstrumentedAttribute

from store.contact import outcome_at
from store.database import reading
from store.decision import adopted
from store.errors import CipherError, NotFound
from store.grade import Grade
from store.privacy import FieldCipher, mask_number
from store.schema import Call, Contact, Evaluation

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """The public row of an evaluation; `call_id` is the SIP Call-ID or a vendor's."""

    id: str
    contact: str | None
    channel: str
    grade: str
    stars: int
    round: int
    deemed: bool
    adopted: bool
    match: str
    answered_at: datetime
    recorded_at: datetime
    key: str | None
    call_id: str | None


@dataclass(frozen=True, slots=True)
class CallRow:
    """The public row of an answered call."""

    call_id: str
    node: str
    flow: str
    flow_version: str
    started_at: datetime
    answered_at: datetime
    ended_at: datetime
    ended_by: str
    outcome: str
    attempts: int
    contact: str | None
    match: str
    id: str
    language: str
    trunk: str | None
    caller: str | None
    refusal: str | None
    claimed_contact: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ContactRow:
    """The public row of a contact."""

    id: str
    number: str
    kind: str
    work_order: str | None
    matter: str | None
    item: str | None
    operator: str | None
    department: str | None
    desk: str | None
    platform: str | None
    area: str | None
    channel: str | None
    unknown_codes: list[str]
    owed_until: datetime | None
    caller: str | None
    language: str | None
    served_at: datetime | None
    registered_at: datetime
    expires_at: datetime
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows: from a moment on, and at most so many, the newest or the oldest. Rows always come oldest first."""

    since: datetime | None = None
    limit: int | None = None
    newest: bool = True  # what a limit keeps: a person wants the newest, a machine reads on from where it was


def evaluations(engine: Engine, page: Page, contact: str | None = None) -> Iterator[EvaluationRow]:
    """Give evaluations by the time they were recorded; `contact`: only those of one."""
    statement = select(
        *_columns(Evaluation, "id contact channel grade round deemed match answered_at recorded_at key"),
        adopted().label("adopted"),
        Call.call_id,
    ).outerjoin(Call, Call.id == Evaluation.call)
    if contact:
        statement = statement.where(Evaluation.contact == contact)
    for row in _rows(engine, statement, page, (Evaluation.recorded_at, Evaluation.id)):
        yield EvaluationRow(stars=Grade(row["grade"]).stars, **row)


def calls(engine: Engine, page: Page, cipher: FieldCipher | None, contact: str | None = None) -> Iterator[CallRow]:
    """Give answered calls by the time they were answered; without a cipher a number is hidden whole."""
    names = " ".join(name for name in CallRow.__slots__)
    statement = select(*_columns(Call, names))
    if contact:
        statement = statement.where(Call.contact == contact)
    for row in _rows(engine, statement, page, (Call.answered_at, Call.id)):
        yield CallRow(**row | {"caller": _masked(row["caller"], row["id"], cipher)})


def contacts(engine: Engine, page: Page, cipher: FieldCipher | None, now: datetime) -> Iterator[ContactRow]:
    """Give contacts by the time they were registered, with their outcome as of now."""
    statement = select(*_columns(Contact, " ".join(ContactRow.__slots__)))
    for row in _rows(engine, statement, page, (Contact.registered_at, Contact.id)):
        yield _contact(row, cipher, now)


def contact(engine: Engine, wanted: str, cipher: FieldCipher | None, now: datetime) -> ContactRow:
    """Give one contact by its id or its number; `NotFound` if there is none."""
    try:
        condition = Contact.id == str(UUID(wanted))
    except ValueError:
        condition = Contact.number == wanted.strip().upper()
    with reading(engine) as connection:
        statement = select(*_columns(Contact, " ".join(ContactRow.__slots__))).where(condition)
        row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no contact {wanted}")
    return _contact(dict(row), cipher, now)


def _contact(row: dict[str, Any], cipher: FieldCipher | None, now: datetime) -> ContactRow:
    return ContactRow(
        **row
        | {
            "caller": _masked(row["caller"], row["id"], cipher),
            "unknown_codes": row["unknown_codes"] or [],
            "outcome": outcome_at(row["outcome"], row["expires_at"], now),
        }
    )


def _columns(table: type[Any], names: str) -> list[InstrumentedAttribute[Any]]:
    return [getattr(table, name) for name in names.split()]


def _rows(
    engine: Engine, statement: Select[Any], page: Page, order: tuple[InstrumentedAttribute[Any], ...]
) -> Iterator[dict[str, Any]]:
    """Stream rows oldest first, in memory bounded by a chunk, or by the limit where one is set."""
    if page.since:
        statement = statement.where(order[0] >= page.since)
    with reading(engine) as connection:
        if page.limit is None or not page.newest:
            yield from _stream(connection, statement.order_by(*order).limit(page.limit))
        else:
            newest = statement.order_by(*(column.desc() for column in order)).limit(page.limit)
            yield from reversed([dict(row) for row in connection.execute(newest).mappings()])


def _stream(connection: Connection, statement: Select[Any]) -> Iterator[dict[str, Any]]:
    result = connection.execution_options(yield_per=_CHUNK).execute(statement)
    for row in result.mappings():
        yield dict(row)


def _masked(sealed: bytes | None, row: str, cipher: FieldCipher | None) -> str | None:
    """Mask a sealed number; one that another key sealed is hidden, never an error of the list."""
    if sealed is None:
        return None
    try:
        return mask_number(cipher.open(sealed, row.encode())) if cipher else mask_number("")
    except CipherError:
        return mask_number("")
