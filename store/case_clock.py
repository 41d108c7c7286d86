"""The cases' clock: reminders around each deadline, deadlines recounted. Rule: each once, by whichever process.

A reminder is claimed with its case's standing: locked, written, and the next waking time set, in one transaction.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Connection, insert, or_, select, update

from store.case import Act, Event, Role
from store.case_act import Office
from store.case_opening import SYSTEM
from store.case_transitions import fold
from store.case_writing import Step, Work, enter, history, lock, reminded
from store.database import reading, writing
from store.ledger import Written, append_many
from store.reminder import Reminder, to_give, wake_at
from store.schema import CaseStanding, ReminderRecord

BATCH = 200

log = structlog.get_logger("jobs")


def remind(office: Office, now: datetime) -> int:
    """Give the reminders of a batch of cases; give how many cases were looked at, 0 when none is left."""
    with writing(office.engine) as connection:
        waking = (
            select(CaseStanding.case, CaseStanding.cycle, CaseStanding.seq)
            .where(CaseStanding.wake_at <= now)
            .order_by(CaseStanding.wake_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        found = connection.execute(waking).all()
        written = [entry for row in found for entry in _remind(connection, office, row.case, now)]
        append_many(connection, office.keys, written, now)
    return len(found)


def recount(office: Office, now: datetime) -> int:
    """Count again the deadlines that rest on unpublished days, or that are still ahead; give how many moved."""
    moved = 0
    for name in _open_deadlines(office, now):
        with writing(office.engine) as connection:
            locked = lock(connection, name)
            found = office.policy.recounted(locked.case, now)
            if found is None:
                continue
            event = Event(Act.RECOUNT, SYSTEM, Role.SYSTEM, now, deadlines=found[0], decision=found[1])
            written = enter(Work(connection, office.keys, office.policy, now), locked, [Step(event)])[1]
            append_many(connection, office.keys, written, now)
        moved += 1
        log.info("deadlines recounted", case=name, provisional=found[0].provisional)
    return moved


def _remind(connection: Connection, office: Office, name: str, now: datetime) -> list[Written]:
    case, ahead = fold(history(connection, name)), office.policy.ahead
    given = reminded(connection, name, case.cycle)
    rows = [_row(name, case.cycle, each, now) for each in to_give(case, ahead, given, now)]
    if rows:
        connection.execute(insert(ReminderRecord), rows)
    given |= {(row["duty"], row["side"], row["due"]) for row in rows}
    standing = update(CaseStanding).where(CaseStanding.case == name, CaseStanding.seq == case.seq)
    connection.execute(standing.values(wake_at=wake_at(case, ahead, given, now)))
    for row in rows:
        log.info("reminder", **{field: row[field] for field in ("case", "duty", "side", "to")})
    return [Written("reminder", row["id"], row) for row in rows]


def _row(name: str, cycle: int, reminder: Reminder, now: datetime) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "case": name,
        "cycle": cycle,
        "duty": str(reminder.duty),
        "side": str(reminder.when),
        "to": str(reminder.to),
        "due": reminder.due,
        "at": now,
    }


def _open_deadlines(office: Office, now: datetime) -> list[str]:
    """Find the cases whose deadlines a year file may move; only those that it does move are locked."""
    open_ones = or_(CaseStanding.provisional, CaseStanding.objection_until > now)
    with reading(office.engine) as connection:
        names = list(connection.scalars(select(CaseStanding.case).where(open_ones).order_by(CaseStanding.case)))
        return [name for name in names if office.policy.recounted(fold(history(connection, name)), now) is not None]
