"""The calls and what was answered in them. Rule: ids are fixed by the node, so that a repeated delivery is known."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id, kept, still_sealed


class Call(Base):
    """One answered call leg, whatever came of it: the call detail record."""

    __tablename__ = "call"
    __table_args__ = (
        still_sealed("caller", "recorded_at", "call"),
        kept(sealed=("caller",), parts={"answer": "call"}),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)  # fixed by the node before its first write
    call_id: Mapped[str] = mapped_column(index=True)  # SIP Call-ID, or a vendor's
    node: Mapped[str]
    flow: Mapped[str]
    flow_version: Mapped[str]
    language: Mapped[str]
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime]
    ended_by: Mapped[str]
    outcome: Mapped[str]
    attempts: Mapped[int]
    match: Mapped[str]
    contact: Mapped[Id | None] = mapped_column(ForeignKey("contact.id"), index=True)  # bound by a valid token only
    claimed_contact: Mapped[Id | None]  # what an expired or unknown token names; binds nothing
    caller: Mapped[bytes | None]  # sealed by the node, context: this row's id
    trunk: Mapped[str | None]
    refusal: Mapped[str | None]  # why a grade given in this call became no evaluation
    recorded_at: Mapped[datetime]


class Answer(Base):
    """The last answer of a call to one question."""

    __tablename__ = "answer"

    call: Mapped[Id] = mapped_column(ForeignKey("call.id"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]
    key: Mapped[str]
    at: Mapped[datetime]
    evidence: Mapped[dict[str, Any]]
