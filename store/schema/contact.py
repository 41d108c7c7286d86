"""The contacts. Rule: a caller's number is ciphertext, found again by a keyed index."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id


class Contact(Base):
    """One finished service that owes an offer of evaluation (4.6, 4.7)."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("credential", "idempotency_key"),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)  # for people; a consultation has no other
    kind: Mapped[str]
    work_order: Mapped[str | None] = mapped_column(index=True)
    matter: Mapped[str | None]
    item: Mapped[str | None]
    operator: Mapped[str | None]
    department: Mapped[str | None]
    caller: Mapped[bytes | None]  # sealed, context: this row's id
    caller_index: Mapped[bytes | None] = mapped_column(index=True)  # HMAC of the number
    language: Mapped[str | None]
    served_at: Mapped[datetime | None]
    registered_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    outcome: Mapped[str | None]
    outcome_at: Mapped[datetime | None]  # the end of the call the outcome comes from
    credential: Mapped[Id | None] = mapped_column(ForeignKey("channel_credential.id"))
    idempotency_key: Mapped[str | None]
    request_hash: Mapped[bytes | None]
