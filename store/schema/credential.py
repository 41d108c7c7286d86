"""Who may speak to the API. Rule: no key in clear; a key ends by a date or by being revoked, never by deletion."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id


class ChannelCredential(Base):
    """A channel or system that has keys."""

    __tablename__ = "channel_credential"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    scopes: Mapped[str]  # separated by spaces
    per_minute: Mapped[int | None]  # requests; null: the setting
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ChannelKey(Base):
    """One API key; two are good while a channel changes over. Only its HMAC is kept, the prefix finds it."""

    __tablename__ = "channel_key"

    id: Mapped[Id] = mapped_column(primary_key=True)
    credential: Mapped[Id] = mapped_column(ForeignKey("channel_credential.id"), index=True)
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hmac: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # set when a newer key takes over


class ChannelBucket(Base):
    """What a channel has used of its rate, and when last: standing state, written every handful of requests."""

    __tablename__ = "channel_bucket"

    credential: Mapped[Id] = mapped_column(ForeignKey("channel_credential.id"), primary_key=True)
    busy_until: Mapped[datetime]  # when all requests let through would be served at the channel's rate (GCRA)
    last_used_at: Mapped[datetime]
