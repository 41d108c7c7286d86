"""A bad evaluation starts its follow-up (8.1, 9.1). Rule: in the transaction that stores the evaluation, or neither.

An evaluation that answers the round a case had offered after rectification reopens that case; any other opens its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, select

from store.case import Act, CaseRefused, Event, Role
from store.case_policy import Policy
from store.case_writing import Step, Work, enter, lock, open_files
from store.grade import Grade
from store.ledger import Written
from store.schema import CaseCycle, FollowUp
from store.secret import Keys

SYSTEM = "system"


def open_cases(
    connection: Connection,
    keys: Keys,
    evaluations: Sequence[Mapping[str, Any]],
    now: datetime,
    policy: Policy | None = None,
) -> list[Written]:
    """Open or reopen a case for each bad one of the evaluations just inserted; give the entries for the ledger.

    An evaluation is a row as `ballot_box.evaluation_row` makes it; deemed ones are never bad.
    """
    work, written = Work(connection, keys, policy or Policy(), now), []
    asked = _asked_by_cases(connection, evaluations)
    opened: dict[str, Event] = {}
    for row in evaluations:
        case = asked.get((row["contact"], row["round"]))
        entries = _tell(work, case, row) if case else None
        written += entries or []
        if Grade(row["grade"]).bad and entries is None:
            due = work.policy.deadlines(now)
            opened[str(uuid4())] = Event(Act.OPEN, SYSTEM, Role.SYSTEM, now, deadlines=due, evaluation=row["id"])
    return written + (open_files(work, opened) if opened else [])


def _asked_by_cases(
    connection: Connection, evaluations: Sequence[Mapping[str, Any]]
) -> dict[tuple[str | None, int], str]:
    """Find which evaluations answer a round that a case had offered."""
    contacts = sorted({row["contact"] for row in evaluations if row["contact"] and row["round"] > 1})
    if not contacts:
        return {}
    rows = connection.execute(
        select(FollowUp.contact, FollowUp.round, CaseCycle.case)
        .join(CaseCycle, CaseCycle.follow_up == FollowUp.id)
        .where(FollowUp.contact.in_(contacts))
    )
    return {(row.contact, row.round): row.case for row in rows}


def _tell(work: Work, case: str, row: Mapping[str, Any]) -> list[Written] | None:
    """Tell a case that its evaluator has spoken; None if that is a bad word which the case cannot be reopened by."""
    locked, now = lock(work.connection, case), work.now
    said = Event(Act.EVALUATED_AGAIN, str(row["channel"]), Role.EVALUATOR, now, evaluation=row["id"])
    if not Grade(row["grade"]).bad:
        return enter(work, locked, [Step(said)])[1]
    reopen = replace(said, act=Act.REOPEN, deadlines=work.policy.deadlines(now))
    try:
        return enter(work, locked, [Step(reopen)])[1]
    except CaseRefused:
        return None
