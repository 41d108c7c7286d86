"""The turn to ask a contact. Rule: one channel at a time, until it gives the turn back or its time is over.

A lease keeps a message and a call from asking at once; it decides nothing about who may answer.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from store.ballot import Verdict
from store.ballot_box import lock
from store.credential import Credential
from store.database import writing
from store.schema import Lease


@dataclass(frozen=True, slots=True)
class Turn:
    """Who may ask, until when; `own`: it is the one who asked for it."""

    contact: str
    channel: str
    until: datetime
    own: bool


def take(engine: Engine, contact: str, credential: Credential, *, until: datetime, now: datetime) -> Turn | Verdict:
    """Take or prolong the turn; give the other's turn where another channel has it.

    A verdict where there is nothing to ask: unknown, evaluated already, closed.
    """
    with writing(engine) as connection:
        voter = lock(connection, [contact]).get(contact)
        if voter is None:
            return Verdict.UNKNOWN_CONTACT
        if voter.earlier.rounds >= voter.earlier.offered:
            return Verdict.ALREADY_EVALUATED
        last = voter.earlier.offered_until if voter.earlier.rounds else voter.owed_until
        if last is not None and now > last:
            return Verdict.CLOSED
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        values = {"credential": credential.id, "channel": credential.channel, "taken_at": now, "until": until}
        taking = dialect.insert(Lease).values(contact=contact, **values)
        free = (Lease.until <= now) | (Lease.credential == credential.id)
        connection.execute(taking.on_conflict_do_update(index_elements=["contact"], set_=values, where=free))
        held = connection.execute(
            select(Lease.credential, Lease.channel, Lease.until).where(Lease.contact == contact)
        ).one()
    return Turn(contact, held.channel, held.until, own=held.credential == credential.id)


def give_back(engine: Engine, contact: str, credential: Credential) -> None:
    """End one's own turn; another's stays."""
    with writing(engine) as connection:
        connection.execute(delete(Lease).where(Lease.contact == contact, Lease.credential == credential.id))
