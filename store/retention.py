"""Deleting what is confidential when its time is over (PIPL 19). Rule: the ciphertext goes for real, the row stays.

The ledger is told of each deletion, so the chain still verifies. Nothing goes while a case about it is open: whoever
gave the evaluation has still to be called back (8.1).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, or_, select, update

from store.case import State
from store.database import writing
from store.schema import Ballot, Call, CaseEvent, CaseFile, CaseStanding, Contact, Evaluation
from store.sealed_field import Change, SealedField, Why, change, next_rows
from store.secret import Keys
from store.traces import wipe

BY = "retention"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind of confidential thing is kept; None: for ever."""

    caller: timedelta | None = None  # numbers of contacts and calls
    comment: timedelta | None = None  # what evaluators wrote
    note: timedelta | None = None  # what was noted on cases

    @classmethod
    def of_days(cls, *, caller: int, comment: int, note: int) -> "Retention":
        """Give it from settings, where 0 is for ever."""
        return cls(*(timedelta(days=days) if days else None for days in (caller, comment, note)))


def forget(engine: Engine, keys: Keys, retention: Retention, now: datetime) -> Iterator[int]:
    """Delete what is due, a batch a transaction, giving how many fields each deleted."""
    changed = set()
    for rule in _rules():
        kept_for = rule.kept_for(retention)
        while kept_for is not None and (count := _batch(engine, keys, rule, now - kept_for, now)):
            changed.add(rule.of.table.name)
            yield count
    if changed:
        wipe(engine, changed)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One field: how old by which column, and the cases that hold it back."""

    of: SealedField
    age: ColumnElement[Any]
    kept_for: Callable[[Retention], timedelta | None]
    held: ColumnElement[bool]


def _rules() -> list[_Rule]:
    contact, call, evaluation, event = (table.__table__.c for table in (Contact, Call, Evaluation, CaseEvent))
    return [
        _rule(Contact, "caller", contact.registered_at, lambda kept: kept.caller, Ballot.contact == contact.id),
        _rule(
            Call,
            "caller",
            call.recorded_at,
            lambda kept: kept.caller,
            or_(Ballot.call == call.id, Ballot.contact == call.contact),
        ),
        _rule(Evaluation, "comment", evaluation.recorded_at, lambda kept: kept.comment, Ballot.id == evaluation.id),
        _rule(CaseEvent, "note", event.at, lambda kept: kept.note, CaseFile.id == event.case),
    ]


def _rule(
    table: type[Any],
    field: str,
    age: ColumnElement[Any],
    kept_for: Callable[[Retention], timedelta | None],
    about: ColumnElement[bool],
) -> _Rule:
    open_case = (
        select(CaseFile.id)
        .join(CaseStanding, CaseStanding.case == CaseFile.id)
        .join(Ballot, Ballot.id == CaseFile.evaluation)
        .where(CaseStanding.state != State.CLOSED, about)
        .correlate(table)
    )
    column = table.__table__.c[field]
    return _Rule(SealedField(table.__table__, column), age, kept_for, open_case.exists())


def _batch(engine: Engine, keys: Keys, rule: _Rule, before: datetime, now: datetime) -> int:
    with writing(engine) as connection:
        rows = next_rows(connection, rule.of, (rule.age < before) & ~rule.held)
        names = [row for row, _sealed in rows]
        if rule.of.table.name == Contact.__tablename__:
            _forget_hashes(connection, names)
        change(connection, keys, rule.of, [Change(name, None) for name in names], Why("retention", BY, now))
    return len(rows)


def _forget_hashes(connection: Connection, contacts: list[str]) -> None:
    """Take the keyed hashes a number is in along with it: who has the key would find the number by trying."""
    emptied = {"caller_index": None, "request_hash": None, "idempotency_key": None}
    connection.execute(update(Contact).where(Contact.id.in_(contacts)).values(emptied))
