"""Somebody acts on a case. Rule: the act, and what the standard makes follow from it, stand or fall together.

Rectified: the evaluator is asked again, in a follow-up round (8.1).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, Engine, func, insert, select, update

from store.case import Act, Case, CaseRefused, Event, Reason, Refusal, Role
from store.case_opening import SYSTEM
from store.case_policy import Policy
from store.case_writing import Locked, Step, Work, enter, lock
from store.database import writing
from store.deadline import deemed_due
from store.ledger import Written, append_many
from store.schema import Attachment, CaseCycle, Evaluation, FollowUp, ObjectionRecord
from store.secret import Keys

LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do. `evidence` is the id of an attachment of this case; `seq` the case as they saw it.

    `second` is who confirms at once what is proposed not to be adopted, where both sit at one terminal.
    """

    act: Act
    actor: str
    role: Role
    note: str | None = None
    reason: Reason | None = None
    evidence: str | None = None
    second: str | None = None
    seq: int | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True)
class Office:
    """Where cases are worked on: the store, the site's keys and its choices."""

    engine: Engine
    keys: Keys
    policy: Policy


def act(office: Office, case: str, wish: Wish, now: datetime) -> Case:
    """Do it and give the case after it; `CaseRefused` or `NotFound`, and then nothing has changed."""
    with writing(office.engine) as connection:
        locked = lock(connection, case)
        work = Work(connection, office.keys, office.policy, now)
        _check(connection, locked, wish)
        steps = _steps(office.policy, wish, now)
        follow_up, offered = _follow_up(connection, locked, now) if _asks_again(locked, wish) else (None, [])
        if follow_up:
            steps.append(Step(Event(Act.ASK_AGAIN, SYSTEM, Role.SYSTEM, now)))
        after, written = enter(work, locked, steps)
        written += offered
        if wish.act is Act.OBJECT:
            written.append(_objection(connection, locked, after, written[0].row, wish))
        if follow_up:
            _note_follow_up(connection, case, after.cycle, follow_up)
        append_many(connection, office.keys, written, now)
    return after


def _check(connection: Connection, locked: Locked, wish: Wish) -> None:
    if wish.role in (Role.SYSTEM, Role.EVALUATOR):
        raise CaseRefused(Refusal.NOT_YOURS, f"nobody acts as {wish.role}: it has no hands")
    if wish.seq is not None and wish.seq != locked.case.seq:
        raise CaseRefused(Refusal.OVERTAKEN, "somebody else has just acted on this case: look at it again")
    if wish.second is not None and wish.act not in (Act.PROPOSE, Act.UPHOLD):
        raise CaseRefused(Refusal.NOT_NOW, f"a second person has nothing to confirm in {wish.act}")
    if wish.evidence is not None:
        known = select(Attachment.id).where(Attachment.id == wish.evidence, Attachment.case == locked.id)
        if connection.scalar(known) is None:
            raise CaseRefused(Refusal.NEEDS_EVIDENCE, f"this case has no attachment {wish.evidence}")


def _steps(policy: Policy, wish: Wish, now: datetime) -> list[Step]:
    event = Event(
        wish.act,
        wish.actor,
        wish.role,
        now,
        noted=wish.note is not None,
        reason=wish.reason,
        evidence=wish.evidence,
        deadlines=policy.deadlines(now) if wish.act is Act.REOPEN else None,
        decision=policy.decision_due(now) if wish.act is Act.OBJECT else None,
    )
    steps = [Step(event, wish.note, wish.credential)]
    if wish.second is not None:
        confirm = Event(Act.CONFIRM, wish.second, Role.REVIEWER, now)
        steps.append(Step(confirm, credential=wish.credential))
    return steps


def _asks_again(locked: Locked, wish: Wish) -> bool:
    return wish.act is Act.RECTIFIED and locked.contact is not None


def _follow_up(connection: Connection, locked: Locked, now: datetime) -> tuple[str | None, list[Written]]:
    """Offer the contact one more round, unless one that it has not used is open already."""
    given = select(func.max(Evaluation.round)).where(Evaluation.contact == locked.contact)
    offered = select(func.max(FollowUp.round)).where(FollowUp.contact == locked.contact)
    used = connection.scalar(given) or 1
    if (connection.scalar(offered) or 1) > used:
        return None, []
    row = {
        "id": str(uuid4()),
        "contact": locked.contact,
        "round": used + 1,
        "reason": str(Act.RECTIFIED),
        "by": SYSTEM,
        "opened_at": now,
        "owed_until": deemed_due(now).at,
    }
    connection.execute(insert(FollowUp), [row])
    return str(row["id"]), [Written("follow_up", str(row["id"]), row)]


def _note_follow_up(connection: Connection, case: str, cycle: int, follow_up: str) -> None:
    where = (CaseCycle.case == case, CaseCycle.cycle == cycle)
    connection.execute(update(CaseCycle).where(*where).values(follow_up=follow_up))


def _objection(connection: Connection, locked: Locked, after: Case, event: str, wish: Wish) -> Written:
    made = after.objection
    assert made.due is not None
    row = {
        "id": str(uuid4()),
        "case": locked.id,
        "cycle": after.cycle,
        "event": event,
        "attachment": wish.evidence,
        "by": wish.actor,
        "filed_at": made.at,
        "until": after.deadlines.objection.at,
        "until_provisional": after.deadlines.objection.provisional,
        "decide_due": made.due.at,
    }
    connection.execute(insert(ObjectionRecord), [row])
    return Written("objection", str(row["id"]), row)
