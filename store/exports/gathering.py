"""What we know of a message's row, for its target's table. Rule: as it stood then; of the caller what is allowed.

Codes are the evaluation's own; their names are the catalogue's of that time, so that a message sent again a year later
says the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from store.case import Act
from store.catalogue import Kind as Listed
from store.database import reading
from store.errors import CipherError
from store.exports.mapping import Kind, Unmappable
from store.exports.outbox import Claimed
from store.exports.targets import Disclosure, Target
from store.privacy import FieldCipher, mask_number
from store.schema import CaseEvent, CatalogueEntry, Contact, Decision, Evaluation

_CODES = (Listed.DEPARTMENT, Listed.ITEM, Listed.OPERATOR, Listed.DESK, Listed.PLATFORM)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts, and what a platform tells evaluations apart by."""

    facts: Mapping[str, Any]
    subject: str


def gather(engine: Engine, cipher: FieldCipher, target: Target, message: Claimed) -> Gathered:
    """Read all that a table may name; raises `Unmappable` where something sealed cannot be opened."""
    with reading(engine) as connection:
        try:
            facts = _evaluation(connection, cipher, target, _round(connection, message))
            if message.kind is Kind.DECISION:
                facts |= _decision(connection, message.row)
            elif message.kind is Kind.REPLY:
                facts |= _reply(connection, cipher, target, message.row)
        except CipherError as error:
            raise Unmappable(str(error)) from error
    return Gathered(facts, f"{facts['number']}/{facts['round']}")


def _evaluation(connection: Connection, cipher: FieldCipher, target: Target, name: str) -> dict[str, Any]:
    columns = ("channel", "grade", "round", "deemed", "tags", "answered_at", "recorded_at", "area")
    codes = [getattr(Evaluation, str(kind)) for kind in _CODES]
    evaluation = dict(
        connection.execute(
            select(Evaluation.id, Evaluation.contact, Evaluation.comment)
            .add_columns(*(getattr(Evaluation, column) for column in columns), *codes)
            .where(Evaluation.id == name)
        )
        .mappings()
        .one()
    )
    comment, contact = evaluation.pop("comment"), evaluation.pop("contact")
    return (
        evaluation
        | _contact(connection, cipher, target, contact)
        | _names(connection, evaluation, evaluation["recorded_at"])
        | {"comment": cipher.open(comment, name.encode()) if comment and target.words else None}
    )


def _contact(connection: Connection, cipher: FieldCipher, target: Target, name: str) -> dict[str, Any]:
    columns = ("number", "work_order", "kind", "matter", "language", "served_at", "caller")
    found = select(*(getattr(Contact, column) for column in columns)).where(Contact.id == name)
    row = dict(connection.execute(found).mappings().one())
    sealed, number = row.pop("caller"), row.pop("number")
    # a consultation has no work order: its contact's number stands for it (4.6)
    row |= {"contact_number": number, "number": row["work_order"] or number, "caller": None}
    if sealed and target.caller is not Disclosure.NONE:
        clear = cipher.open(sealed, name.encode())
        row["caller"] = clear if target.caller is Disclosure.FULL else mask_number(clear)
    return row


def _names(connection: Connection, codes: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Give names and attributes by the versions that held then, or the first ever where a code came before its name."""
    found: dict[str, Any] = {}
    for kind in _CODES:
        if not codes[kind]:
            continue
        rows = connection.execute(
            select(CatalogueEntry.name, CatalogueEntry.attributes, CatalogueEntry.recorded_at)
            .where(CatalogueEntry.kind == str(kind), CatalogueEntry.code == codes[kind])
            .order_by(CatalogueEntry.version)
        ).all()
        held = [row for row in rows if row.recorded_at <= at][-1:] or rows[:1]
        for row in held:
            found[f"{kind}_name"] = row.name
            found |= {f"{kind}:{name}": value for name, value in row.attributes.items()}
    return found


def _decision(connection: Connection, name: str) -> dict[str, Any]:
    columns = (Decision.adopted, Decision.reason, Decision.at.label("decided_at"))
    return dict(connection.execute(select(*columns).where(Decision.id == name)).mappings().one())


def _reply(connection: Connection, cipher: FieldCipher, target: Target, name: str) -> dict[str, Any]:
    found = select(CaseEvent.act, CaseEvent.at, CaseEvent.note).where(CaseEvent.id == name)
    row = connection.execute(found).one()
    words = cipher.open(row.note, name.encode()) if row.note and target.words else None
    return {"act": row.act, "acted_at": row.at, "words": words}


def _round(connection: Connection, message: Claimed) -> str:
    """Give the evaluation a message speaks of: of a case reopened by a follow-up round, that one."""
    if message.kind is not Kind.REPLY:
        return message.evaluation
    this = select(CaseEvent.case, CaseEvent.seq).where(CaseEvent.id == message.row).subquery()
    before = (CaseEvent.case == this.c.case, CaseEvent.seq < this.c.seq)
    reopened = connection.scalars(
        select(CaseEvent.data).where(*before, CaseEvent.act == str(Act.REOPEN)).order_by(CaseEvent.seq)
    )
    spoken = [data["evaluation"] for data in reopened if data.get("evaluation")]
    return spoken[-1] if spoken else message.evaluation
