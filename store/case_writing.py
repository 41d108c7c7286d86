"""Steps on a case into rows. Rule: event, standing and what follows from the act are one transaction.

Everything is inserted here but the ledger's entries: they are handed back, for the chain's end is taken last.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select, update

from store.case import Act, Case, CaseRefused, Event, Refusal
from store.case_policy import Policy
from store.case_record import event_data, read_event
from store.case_transitions import advance, begin, fold
from store.errors import NotFound
from store.ledger import Written
from store.privacy import NONCE_BYTES, FieldCipher
from store.reminder import Given, next_due, wake_at
from store.schema import CaseCycle, CaseEvent, CaseFile, CaseStanding, Contact, Decision, Evaluation, ReminderRecord
from store.secret import Keys


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction's work on cases."""

    connection: Connection
    keys: Keys
    policy: Policy
    now: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """An event with its words in clear, and the key it came by."""

    event: Event
    note: str | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True)
class Locked:
    """A case that nobody else can change until the transaction ends."""

    id: str
    case: Case
    contact: str | None
    round: int


def lock(connection: Connection, case: str) -> Locked:
    """Lock a case after its contact, the order in which ballots lock them too; `NotFound` if there is none."""
    found = connection.execute(
        select(Evaluation.contact, Evaluation.round)
        .join(CaseFile, CaseFile.evaluation == Evaluation.id)
        .where(CaseFile.id == case)
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no case {case}")
    if found.contact is not None:
        connection.execute(select(Contact.id).where(Contact.id == found.contact).with_for_update())
    connection.execute(select(CaseStanding.case).where(CaseStanding.case == case).with_for_update())
    return Locked(case, fold(history(connection, case)), found.contact, found.round)


def history(connection: Connection, case: str) -> list[Event]:
    """Read a case's events in their order."""
    columns = (CaseEvent.act, CaseEvent.actor, CaseEvent.role, CaseEvent.at, CaseEvent.data)
    rows = connection.execute(
        select(*columns, CaseEvent.note.is_not(None).label("noted"))
        .where(CaseEvent.case == case)
        .order_by(CaseEvent.seq)
    )
    return [read_event(dict(row)) for row in rows.mappings()]


def open_files(work: Work, opened: Mapping[str, Event]) -> list[Written]:
    """Open cases, each by its first event under the id it is to have; give their entries."""
    cases = {case: begin(event) for case, event in opened.items()}
    files = [_file_row(case, opened[case], found) for case, found in cases.items()]
    events = [_event_row(work.keys, case, 1, Step(event)) for case, event in opened.items()]
    none: frozenset[Given] = frozenset()
    for table, rows in (
        (CaseFile, files),
        (CaseEvent, events),
        (CaseStanding, [_standing_row(work, case, found, none) for case, found in cases.items()]),
        (CaseCycle, [_cycle_row(case, found, found.evaluation) for case, found in cases.items()]),
    ):
        work.connection.execute(insert(table), rows)
    return [Written("case_file", row["id"], row) for row in files] + [_written(row) for row in events]


def enter(work: Work, locked: Locked, steps: Sequence[Step]) -> tuple[Case, list[Written]]:
    """Take steps on a locked case, all or (by `CaseRefused`) none; give the case after them and their entries.

    Where the evaluation leaves the index, or comes back into it, a decision says so (9.2).
    """
    case, events, cycles, decisions = locked.case, [], [], []
    for step in steps:
        before, case = case, advance(case, step.event)
        events.append(_event_row(work.keys, locked.id, case.seq, step))
        if step.event.act is Act.REOPEN:
            cycles.append(_cycle_row(locked.id, case, step.event.evaluation))
        if before.adopted != case.adopted:
            decisions.append(_decision_row(work.connection, locked.id, before, case, step.event))
    for table, rows in ((CaseEvent, events), (CaseCycle, cycles), (Decision, decisions)):
        if rows:
            work.connection.execute(insert(table), rows)
    stand(work, locked, case)
    return case, [_written(row) for row in events] + [Written("decision", row["id"], row) for row in decisions]


def stand(work: Work, locked: Locked, found: Case) -> None:
    """Write where a case stands, if it still stood where it was locked; `CaseRefused` if somebody was faster."""
    row = _standing_row(work, locked.id, found, reminded(work.connection, locked.id, found.cycle))
    before = (CaseStanding.case == locked.id, CaseStanding.seq == locked.case.seq)
    if work.connection.execute(update(CaseStanding).where(*before).values(row)).rowcount != 1:
        # the lock makes this impossible; a database that lost it must not lose the order of events as well
        raise CaseRefused(Refusal.OVERTAKEN, "somebody else has just acted on this case: look at it again")
    times = _cycle_row(locked.id, found, None)
    del times["evaluation"]
    cycle = update(CaseCycle).where(CaseCycle.case == locked.id, CaseCycle.cycle == found.cycle)
    work.connection.execute(cycle.values(times))


def reminded(connection: Connection, case: str, cycle: int) -> frozenset[Given]:
    """Give which reminders a cycle has had: (duty, side, due)."""
    rows = connection.execute(
        select(ReminderRecord.duty, ReminderRecord.side, ReminderRecord.due)
        .where(ReminderRecord.case == case)
        .where(ReminderRecord.cycle == cycle)
    )
    return frozenset((row.duty, row.side, row.due) for row in rows)


def _file_row(case: str, event: Event, found: Case) -> dict[str, Any]:
    due = found.deadlines
    return {
        "id": case,
        "evaluation": event.evaluation,
        "opened_at": event.at,
        "call_back_due": due.call_back.at,
        "rectify_due": due.rectify.at,
        "objection_until": due.objection.at,
        "provisional": due.provisional,
    }


def _event_row(keys: Keys, case: str, seq: int, step: Step) -> dict[str, Any]:
    name, event = str(uuid4()), step.event
    sealed = None
    if step.note is not None:
        sealed = FieldCipher(keys.fields).seal(step.note, name.encode(), secrets.token_bytes(NONCE_BYTES))
    return {
        "id": name,
        "case": case,
        "seq": seq,
        "act": str(event.act),
        "actor": event.actor,
        "role": str(event.role),
        "credential": step.credential,
        "at": event.at,
        "note": sealed,
        "data": event_data(event),
    }


def _decision_row(connection: Connection, name: str, before: Case, after: Case, event: Event) -> dict[str, Any]:
    """Say who took an evaluation out of the index, or by whose word it counts again."""
    last = connection.scalar(select(func.max(Decision.at)).where(Decision.evaluation == before.evaluation))
    return {
        "id": str(uuid4()),
        "evaluation": before.evaluation,
        "adopted": after.adopted,
        "reason": str(event.act if after.adopted else after.reason),
        "evidence": {"case": name, "seq": after.seq},
        "by": event.actor if after.adopted else after.proposer,
        "second": None if after.adopted else event.actor,
        # the last decision holds, also where the clock was set back between two
        "at": event.at if last is None else max(event.at, last + timedelta(microseconds=1)),
    }


def _standing_row(work: Work, case: str, found: Case, given: frozenset[Given]) -> dict[str, Any]:
    return {
        "case": case,
        "seq": found.seq,
        "cycle": found.cycle,
        "state": str(found.state),
        "objection": str(found.objection.state),
        "adopted": found.adopted,
        "provisional": found.deadlines.provisional,
        "objection_until": found.deadlines.objection.at,
        "next_due": next_due(found),
        "wake_at": wake_at(found, work.policy.ahead, given, work.now),
        "changed_at": work.now,
    }


def _cycle_row(case: str, found: Case, evaluation: str | None) -> dict[str, Any]:
    return {
        "case": case,
        "cycle": found.cycle,
        "evaluation": evaluation,
        "opened_at": found.received_at,
        "call_back_due": found.deadlines.call_back.at,
        "rectify_due": found.deadlines.rectify.at,
        "called_back_at": found.called_back_at,
        "rectified_at": found.rectified_at,
        "closed_at": found.closed_at,
    }


def _written(row: Mapping[str, Any]) -> Written:
    return Written("case_event", row["id"], row)
