"""The evaluations and what was decided on them. Rule: a row is inserted once; a decision is a row of its own."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.grade import Grade
from store.schema.base import Base, Id, kept, still_sealed


class Ballot(Base):
    """What must be unique of an evaluation, and what points at one: evaluations of PostgreSQL are split by month.

    Derived from its evaluation, inserted before it in the same transaction; `store.ballot_box` alone does.
    """

    __tablename__ = "ballot"
    __table_args__ = (UniqueConstraint("contact", "round", "deemed"),)  # what is deemed takes nobody's ballot away

    id: Mapped[Id] = mapped_column(primary_key=True)
    contact: Mapped[Id | None] = mapped_column(ForeignKey("contact.id"))
    round: Mapped[int]
    deemed: Mapped[bool]
    call: Mapped[Id | None] = mapped_column(ForeignKey("call.id"), unique=True)
    form: Mapped[str | None] = mapped_column(unique=True)  # number of a paper form


class Evaluation(Base):
    """One given (or deemed) grade. `round` 1 is a contact's first, 2 a follow-up (追评): a new row, never an update."""

    __tablename__ = "evaluation"
    __table_args__ = (
        CheckConstraint("grade IN ({})".format(", ".join(f"'{grade}'" for grade in Grade)), name="grade"),
        CheckConstraint("round >= 1", name="round"),
        Index("ix_evaluation_recorded_at_id", "recorded_at", "id"),
        still_sealed("comment", "recorded_at", "evaluation"),
        kept(sealed=("comment",)),
    )

    # a call's evaluation has the call's id: fixed before any write
    id: Mapped[Id] = mapped_column(ForeignKey("ballot.id"), primary_key=True)
    contact: Mapped[Id | None] = mapped_column(ForeignKey("contact.id"), index=True)
    channel: Mapped[str]
    grade: Mapped[str]
    round: Mapped[int]
    deemed: Mapped[bool]
    match: Mapped[str]
    tags: Mapped[list[str]]  # codes of the tag table
    tag_table: Mapped[str | None]  # its version
    comment: Mapped[bytes | None]  # sealed, context: this row's id
    recording: Mapped[str | None]  # reference of a spoken comment
    device: Mapped[str | None]
    form: Mapped[str | None]  # number of a paper form
    credential: Mapped[Id | None] = mapped_column(ForeignKey("channel_credential.id"))  # null: a node of our own
    department: Mapped[str | None]  # this and the codes below: as they stood
    item: Mapped[str | None]
    operator: Mapped[str | None]
    desk: Mapped[str | None]
    platform: Mapped[str | None]
    area: Mapped[str | None]
    unknown_codes: Mapped[list[str] | None]
    claimed_at: Mapped[datetime | None]  # when it was given by the channel's clock: a claim
    answered_at: Mapped[datetime]
    recorded_at: Mapped[datetime]  # this server's clock, no one else's
    key: Mapped[str | None]
    call: Mapped[Id | None] = mapped_column(ForeignKey("call.id"))
    flow: Mapped[str | None]
    flow_version: Mapped[str | None]
    evidence: Mapped[dict[str, Any]]


class Decision(Base):
    """Whether an evaluation counts (9.2): the last decision holds, and without one it is adopted."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_evaluation_at_id", "evaluation", "at", "id"), kept())

    id: Mapped[Id] = mapped_column(primary_key=True)
    evaluation: Mapped[Id] = mapped_column(ForeignKey("ballot.id"))
    adopted: Mapped[bool]
    reason: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    by: Mapped[str]
    second: Mapped[str | None]  # the other person, for what is not adopted
    at: Mapped[datetime]
