"""The tables. Rule: times are UTC, phone numbers are ciphertext, an evaluation is inserted once and not updated."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from store.grade import Grade

REVISION = "0001"  # the migration this module agrees with; a test compares both


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in, the same moment in UTC out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone: nobody could say later which moment it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the moment its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = Annotated[str, mapped_column(Uuid(as_uuid=False))]
Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Names every constraint, so that a later migration can name it too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own form
        datetime: UtcDateTime,
        str: Text,
        bytes: LargeBinary,
        dict[str, Any]: Json,
    }


class ChannelCredential(Base):
    """An API key of a channel or system. Only its HMAC is kept; the prefix finds it."""

    __tablename__ = "channel_credential"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    scopes: Mapped[str]  # separated by spaces
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hmac: Mapped[bytes]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


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


class Call(Base):
    """One answered call leg, whatever came of it: the call detail record."""

    __tablename__ = "call"

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
