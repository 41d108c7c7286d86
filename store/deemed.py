"""Seven days without an evaluation (6.4), and offers that ran out (4.7). Rule: what is deemed says so, everywhere.

A deemed evaluation is a row of its own kind: it takes no ballot away, opens no case, and gives way to a grade that was
given in time and delivered late. Its time is when it was written: nothing is dated back.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import uuid4

from sqlalchemy import Connection, and_, exists, or_, select, update

from store.ballot_box import Voter, evaluation_row, lock, put, settle
from store.call import Match, Outcome
from store.case_act import Office
from store.case_policy import Policy
from store.contact import CIVIL_TIME, Standing
from store.database import writing
from store.deadline import DEEMED_DAYS, deemed_due
from store.grade import Grade
from store.schema import Contact, Evaluation, Lease
from store.schema.contact import UNANSWERED, UNDECIDED

CHANNEL = "system"
_OWED = timedelta(days=DEEMED_DAYS)
BATCH = 500


@dataclass(frozen=True, slots=True)
class Place:
    """How far the batches of a round have come: contacts are looked at by when their time was over."""

    owed_until: datetime
    contact: str


def deem(office: Office, now: datetime, after: Place | None = None) -> tuple[int, Place | None]:
    """Write deemed evaluations for a batch of contacts that were owed one and have none; give (how many, go on after).

    `after` is where the last batch ended; the second value is None where nothing is left to look at.
    """
    with writing(office.engine) as connection:
        found = _overdue(connection, now, after)
        voters = lock(connection, [place.contact for place in found])
        due = [voter for voter in voters.values() if _is_due(voter, office.policy, now)]
        put(connection, office.keys, [_row(voter, now) for voter in due], now)
        settle(connection, {voter.id: Standing(Outcome.DEEMED, None) for voter in due})
    return len(due), found[-1] if len(found) == BATCH else None


def expire(office: Office, now: datetime) -> int:
    """Settle a batch of contacts whose token ran out before anybody was asked: never offered, or asked and unanswered.

    No time is kept with it, so that a call delivered late still has its say.
    """
    with writing(office.engine) as connection:
        found = select(Contact.id).where(UNANSWERED, Contact.expires_at <= now)
        ids = list(connection.scalars(found.limit(BATCH).with_for_update(skip_locked=True)))
        leased = set(connection.scalars(select(Lease.contact).where(Lease.contact.in_(ids))))
        for outcome, contacts in (
            (Outcome.EXPIRED, [name for name in ids if name in leased]),
            (Outcome.NOT_OFFERED, [name for name in ids if name not in leased]),
        ):
            mine = update(Contact).where(Contact.id.in_(contacts), Contact.outcome.is_(None))
            connection.execute(mine.values(outcome=str(outcome)))
    return len(ids)


def _overdue(connection: Connection, now: datetime, after: Place | None) -> list[Place]:
    today = datetime.combine(now.astimezone(CIVIL_TIME).date(), time.min, CIVIL_TIME)
    rated = exists().where(Evaluation.contact == Contact.id)
    order = (Contact.owed_until, Contact.id)
    statement = select(*order).where(UNDECIDED, Contact.owed_until < today, ~rated)
    if after is not None:
        later = Contact.owed_until > after.owed_until
        statement = statement.where(
            or_(later, and_(Contact.owed_until == after.owed_until, Contact.id > after.contact))
        )
    locked = statement.order_by(*order).limit(BATCH).with_for_update(skip_locked=True, of=Contact)
    return [Place(owed_until, name) for owed_until, name in connection.execute(locked) if owed_until]


def _is_due(voter: Voter, policy: Policy, now: datetime) -> bool:
    if voter.earlier.rounds or voter.owed_until is None:
        return False
    return deemed_due(voter.owed_until - _OWED, policy.calendar if policy.roll else None).at < now


def _row(voter: Voter, now: datetime) -> dict[str, object]:
    return evaluation_row(
        id=str(uuid4()),
        contact=voter.id,
        channel=CHANNEL,
        grade=str(Grade.BASICALLY_SATISFIED),
        round=1,
        deemed=True,
        match=str(Match.NAMED),
        answered_at=now,
        recorded_at=now,
        evidence={"rule": "6.4"},
        **voter.codes,
    )
