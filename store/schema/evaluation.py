"""The evaluations. Rule: a row is inserted once and never updated."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.grade import Grade
from store.schema.base import Base, Id


class Evaluation(Base):
    """One given (or deemed) grade. `round` 1 is a contact's first, 2 a follow-up (追评): a new row, never an update."""

    __tablename__ = "evaluation"
    __table_args__ = (
        UniqueConstraint("contact", "round"),
        CheckConstraint("grade IN ({})".format(", ".join(f"'{grade}'" for grade in Grade)), name="grade"),
        CheckConstraint("round >= 1", name="round"),
        Index("ix_evaluation_recorded_at_id", "recorded_at", "id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)  # a call's evaluation has the call's id: fixed before any write
    contact: Mapped[Id | None] = mapped_column(ForeignKey("contact.id"))
    channel: Mapped[str]
    grade: Mapped[str]
    round: Mapped[int]
    deemed: Mapped[bool]
    adopted: Mapped[bool]
    match: Mapped[str]
    answered_at: Mapped[datetime]
    recorded_at: Mapped[datetime]  # this server's clock, no one else's
    key: Mapped[str | None]
    call: Mapped[Id | None] = mapped_column(ForeignKey("call.id"), unique=True)
    flow: Mapped[str | None]
    flow_version: Mapped[str | None]
    evidence: Mapped[dict[str, Any]]
