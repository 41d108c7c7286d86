"""The histories of contacts as `store.figure` counts them. Rule: the ledger dates every step; what has no entry is not.

A history is read whole, whatever stretch of the ledger is asked for: what a step counts depends on the steps before it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select, union

from store.figure import Ballot, Codes, Decided, Followed, History
from store.figure_count import CALLED_BACK, PUT_RIGHT
from store.grade import Grade
from store.period import civil_day
from store.schema import Base, Call, CaseEvent, CaseFile, Contact, Decision, Evaluation, LedgerEntry

_SOME = 500  # ids in one statement


def touched(connection: Connection, after: int, upto: int) -> list[str]:
    """Give the contacts that entries after one and up to another speak of, in the order of their ids."""
    ballots = _entered(Evaluation.contact, Evaluation, after, upto)
    decided = _entered(Evaluation.contact, Decision, after, upto).join(Evaluation, Decision.evaluation == Evaluation.id)
    opened = _entered(Evaluation.contact, CaseFile, after, upto).join(Evaluation, CaseFile.evaluation == Evaluation.id)
    acted = (
        _entered(Evaluation.contact, CaseEvent, after, upto)
        .join(CaseFile, CaseEvent.case == CaseFile.id)
        .join(Evaluation, CaseFile.evaluation == Evaluation.id)
    )
    registered = _entered(Contact.id, Contact, after, upto)
    called = _entered(Call.contact, Call, after, upto)
    found = connection.scalars(union(registered, called, ballots, decided, opened, acted))
    return sorted(contact for contact in found if contact is not None)


def histories(connection: Connection, contacts: Sequence[str]) -> Iterable[History]:
    """Read the histories of contacts, some at a time."""
    for place in range(0, len(contacts), _SOME):
        yield from _read(connection, contacts[place : place + _SOME])


def _entered(column: Any, table: type[Base], after: int, upto: int) -> Select[Any]:  # noqa: ANN401
    joined = _with_entry(select(column), table)
    return joined.where(LedgerEntry.seq > after, LedgerEntry.seq <= upto)


def _with_entry(selected: Select[Any], table: type[Base]) -> Select[Any]:
    identity = table.__table__.c.id
    entry = and_(LedgerEntry.row == identity, LedgerEntry.table_name == table.__tablename__)
    return selected.select_from(table).join(LedgerEntry, entry)


def _columns(table: type[Base], *names: str, of: str | None = None) -> Select[Any]:
    """Choose columns of a table and the number of the row's entry; `of`: the one that says whose row it is."""
    columns: list[Any] = [LedgerEntry.seq, *(getattr(table, name) for name in names)]
    return select(*columns, *([getattr(table, of).label("of")] if of else []))


def _read(connection: Connection, contacts: Sequence[str]) -> list[History]:
    asked = _grouped(connection, _asked(contacts))
    ballots = _grouped(connection, _ballots(contacts))
    evaluations = [row.id for rows in ballots.values() for row in rows]
    decisions = _grouped(connection, _decisions(evaluations))
    cases = _cases(connection, [row.id for rows in ballots.values() for row in rows if Grade(row.grade).bad])
    return [
        History(
            row.seq,
            civil_day(row.registered_at),
            _codes(row),
            tuple(call.seq for call in asked[row.id]),
            tuple(_ballot(ballot, decisions[ballot.id], cases.get(ballot.id)) for ballot in ballots[row.id]),
        )
        for row in connection.execute(_contacts(contacts))
    ]


def _grouped(connection: Connection, rows: Select[Any]) -> defaultdict[str, list[Row[Any]]]:
    """Group rows by their column `of`."""
    found = defaultdict(list)
    for row in connection.execute(rows):
        found[row.of].append(row)
    return found


def _contacts(contacts: Sequence[str]) -> Select[Any]:
    rows = _with_entry(_columns(Contact, "id", "registered_at", "department", "item", "operator"), Contact)
    return rows.where(Contact.id.in_(contacts))


def _asked(contacts: Sequence[str]) -> Select[Any]:
    calls = _with_entry(_columns(Call, of="contact"), Call)
    return calls.where(Call.contact.in_(contacts), Call.attempts >= 1)


def _ballots(contacts: Sequence[str]) -> Select[Any]:
    names = ("id", "recorded_at", "department", "item", "operator", "channel", "grade", "round", "deemed")
    rows = _with_entry(_columns(Evaluation, *names, of="contact"), Evaluation)
    return rows.where(Evaluation.contact.in_(contacts))


def _decisions(evaluations: Sequence[str]) -> Select[Any]:
    rows = _with_entry(_columns(Decision, "at", "id", "adopted", of="evaluation"), Decision)
    return rows.where(Decision.evaluation.in_(evaluations))


def _cases(connection: Connection, evaluations: Sequence[str]) -> dict[str, Followed]:
    if not evaluations:
        return {}
    opened = _with_entry(_columns(CaseFile, "id", "evaluation", "call_back_due", "rectify_due"), CaseFile)
    files = connection.execute(opened.where(CaseFile.evaluation.in_(evaluations))).all()
    acts = _with_entry(_columns(CaseEvent, "act", "at", of="case"), CaseEvent)
    events = _grouped(connection, acts.where(CaseEvent.case.in_([row.id for row in files])))
    return {row.evaluation: _followed(row, events[row.id]) for row in files}


def _followed(row: Row[Any], events: Sequence[Row[Any]]) -> Followed:
    def done(acts: tuple[str, ...], due: datetime) -> tuple[int, ...]:
        return tuple(event.seq for event in events if event.act in acts and event.at <= due)

    return Followed(
        row.seq,
        civil_day(row.call_back_due),
        civil_day(row.rectify_due),
        done(CALLED_BACK, row.call_back_due),
        done(PUT_RIGHT, row.rectify_due),
    )


def _ballot(row: Row[Any], decisions: Sequence[Row[Any]], case: Followed | None) -> Ballot:
    decided = tuple(Decided(each.seq, (each.at, each.id), each.adopted) for each in decisions)
    codes = _codes(row)._replace(channel=row.channel)
    return Ballot(row.seq, civil_day(row.recorded_at), codes, row.grade, row.round, row.deemed, decided, case)


def _codes(row: Row[Any]) -> Codes:
    return Codes(row.department or "", row.item or "", row.operator or "")
