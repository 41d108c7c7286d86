"""What is to be sent to other platforms. Rule: one message for each row reported to a target; never deleted.

The truth a message reports is in the ledger, written with it; these tables are standing state and can be made anew.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id

WAITING = text("status = 'waiting'")


class ExportMessage(Base):
    """One message: its id is what the platform tells repetitions by, so it is derived and never drawn."""

    __tablename__ = "export_message"
    __table_args__ = (
        UniqueConstraint("target", "kind", "row"),
        # the order within one evaluation
        Index("ix_export_message_target_evaluation_seq", "target", "evaluation", "seq"),
        Index("ix_export_message_waiting", "target", "due_at", postgresql_where=WAITING, sqlite_where=WAITING),
        Index("ix_export_message_target_subject", "target", "subject"),
        CheckConstraint("status IN ('waiting', 'delivered', 'dead')", name="status"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    target: Mapped[str]
    kind: Mapped[str]
    row: Mapped[Id]
    evaluation: Mapped[Id]
    seq: Mapped[int] = mapped_column(BigInteger)  # of the ledger
    status: Mapped[str]
    attempts: Mapped[int]  # since it was last put in
    due_at: Mapped[datetime]
    claim: Mapped[Id | None]  # who sends it now
    claimed_until: Mapped[datetime | None]  # a dead sender's claim ends by itself
    reason: Mapped[str | None]  # why it is dead, or what went wrong last
    subject: Mapped[str | None]  # what the platform tells evaluations apart by: number and round
    duplicate: Mapped[bool]  # the platform said it had it already
    disclosed: Mapped[str | None]  # what was last sent of the caller: none, masked, full
    settled_at: Mapped[datetime | None]  # delivered or dead


class ExportMark(Base):
    """Up to which entry of the ledger a target's messages are made."""

    __tablename__ = "export_mark"

    target: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
