"""The contacts. Rule: a caller's number is ciphertext, found again by a keyed index."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id, kept, still_sealed

UNDECIDED = text("(outcome IS NULL OR outcome NOT IN ('rated', 'deemed'))")
UNANSWERED = text("outcome IS NULL")


class Contact(Base):
    """One finished service that owes an offer of evaluation (4.6, 4.7)."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("credential", "idempotency_key"),
        Index("ix_contact_owed_until", "owed_until"),
        # what the jobs look for; the rest of ten million contacts is none of their business
        Index("ix_contact_undecided", "owed_until", postgresql_where=UNDECIDED, sqlite_where=UNDECIDED),
        Index("ix_contact_unanswered", "expires_at", postgresql_where=UNANSWERED, sqlite_where=UNANSWERED),
        still_sealed("caller", "registered_at", "contact"),
        kept(
            sealed=("caller",),
            # the index follows from the number, and a ledger that held it would know the number's owner for ever
            loose=("outcome", "outcome_at", "caller_index", "idempotency_key", "request_hash"),
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)  # for people; a consultation has no other
    kind: Mapped[str]
    work_order: Mapped[str | None] = mapped_column(index=True)
    matter: Mapped[str | None]
    item: Mapped[str | None]
    operator: Mapped[str | None]
    department: Mapped[str | None]
    desk: Mapped[str | None]
    platform: Mapped[str | None]
    area: Mapped[str | None]
    channel: Mapped[str | None]  # where the service was given
    unknown_codes: Mapped[list[str] | None]  # which of the codes the catalogue did not hold then
    caller: Mapped[bytes | None]  # sealed, context: this row's id
    caller_index: Mapped[bytes | None] = mapped_column(index=True)  # HMAC of the number
    language: Mapped[str | None]
    served_at: Mapped[datetime | None]
    registered_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]  # of its token
    owed_until: Mapped[datetime | None]  # evaluations are taken until then (6.4); null: registered before there was one
    outcome: Mapped[str | None]
    outcome_at: Mapped[datetime | None]  # the end of the call the outcome comes from
    credential: Mapped[Id | None] = mapped_column(ForeignKey("channel_credential.id"))
    idempotency_key: Mapped[str | None]
    request_hash: Mapped[bytes | None]


class Lease(Base):
    """Who may ask a contact now, so that a message and a call do not ask at once: standing state."""

    __tablename__ = "lease"

    contact: Mapped[Id] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    credential: Mapped[Id] = mapped_column(ForeignKey("channel_credential.id"))
    channel: Mapped[str]
    taken_at: Mapped[datetime]
    until: Mapped[datetime]


class FollowUp(Base):
    """One more round offered to a contact, as after rectification: the only way to a second ballot by any channel."""

    __tablename__ = "follow_up"
    __table_args__ = (UniqueConstraint("contact", "round"), kept())

    id: Mapped[Id] = mapped_column(primary_key=True)
    contact: Mapped[Id] = mapped_column(ForeignKey("contact.id"))
    round: Mapped[int]
    reason: Mapped[str]
    by: Mapped[str]
    opened_at: Mapped[datetime]
    owed_until: Mapped[datetime]
