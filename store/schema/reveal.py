"""Who looked at what is confidential. Rule: the row is written before anything is shown, and never goes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id, kept


class Reveal(Base):
    """One look at the number or the words of an evaluator, by whom and why (4.9)."""

    __tablename__ = "reveal"
    __table_args__ = (
        CheckConstraint("(contact IS NULL) <> (call IS NULL)", name="subject"),
        Index("ix_reveal_at_id", "at", "id"),
        kept(sealed=("reason",)),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    contact: Mapped[Id | None] = mapped_column(ForeignKey("contact.id"), index=True)
    call: Mapped[Id | None] = mapped_column(ForeignKey("call.id"), index=True)  # one that no contact is bound to
    fields: Mapped[list[str]]
    reason: Mapped[bytes]  # sealed, context: this row's id: people write names into reasons
    by: Mapped[str]
    credential: Mapped[Id | None] = mapped_column(ForeignKey("channel_credential.id"))  # null: a command
    at: Mapped[datetime]
