"""The API keys of channels and systems. Rule: no key in clear."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id


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
