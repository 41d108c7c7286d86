"""What requests were answered. Rule: kept for a day at least, so that a repeated request meets its first answer."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id


class AnsweredRequest(Base):
    """The answer to one idempotency key of one channel: standing state, forgotten after its time."""

    __tablename__ = "answered_request"

    credential: Mapped[Id] = mapped_column(ForeignKey("channel_credential.id"), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]  # keyed: a comment or a number in a plain hash is found by trying
    verdict: Mapped[str]
    evaluation: Mapped[Id | None]
    at: Mapped[datetime] = mapped_column(index=True)
