"""API keys of channels and systems. Rule: a key is shown once and kept only as an HMAC; a channel comes from its key.

A key reads `pj_<prefix>_<secret>`: the prefix finds the row, the HMAC (key outside the database) proves the rest.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from store.database import reading, writing
from store.errors import NameTaken, NotFound
from store.schema import ChannelCredential
from store.secret import Keys


class Channel(StrEnum):
    """Where an evaluation or a contact comes from (4.5)."""

    WEB = "web"
    SMS = "sms"
    WINDOW = "window"
    QR = "qr"
    TERMINAL = "terminal"
    PAPER = "paper"
    IVR = "ivr"
    CTI = "cti"  # the hotline's own system: registers contacts, gives no grades


class Scope(StrEnum):
    """What a key may do."""

    CONTACTS_WRITE = "contacts:write"
    CONTACTS_READ = "contacts:read"
    EVALUATIONS_READ = "evaluations:read"
    CALLS_READ = "calls:read"


def default_scopes(channel: Channel) -> frozenset[Scope]:
    """Give what a channel's key may do when nothing was said. Grades are for nobody by default (4.9)."""
    if channel is Channel.CTI:
        return frozenset({Scope.CONTACTS_WRITE, Scope.CONTACTS_READ})
    return frozenset({Scope.CONTACTS_READ})


@dataclass(frozen=True, slots=True)
class Credential:
    """A key's owner, as known after checking the key, or in a list."""

    id: str
    name: str
    channel: Channel
    scopes: frozenset[Scope]
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


def add(engine: Engine, keys: Keys, name: str, *, channel: Channel, scopes: frozenset[Scope], now: datetime) -> str:
    """Make a key and give it, the only time it exists in clear; `NameTaken` if the name is in use."""
    prefix = secrets.token_hex(5)
    key = f"pj_{prefix}_{secrets.token_urlsafe(32)}"
    row = {
        "id": str(uuid4()),
        "name": name,
        "channel": channel,
        "scopes": " ".join(sorted(scopes)),
        "prefix": prefix,
        "key_hmac": _hmac(keys, key),
        "created_at": now,
    }
    try:
        with writing(engine) as connection:
            connection.execute(insert(ChannelCredential).values(row))
    except IntegrityError:
        raise NameTaken(f"a channel named {name} exists: choose another name") from None
    return key


def check(engine: Engine, keys: Keys, key: str) -> Credential | None:
    """Give the owner of a key that is good now; None for any other."""
    parts = key.split("_", 2)
    if len(parts) != 3 or not key.isascii():
        return None
    with reading(engine) as connection:
        row = connection.execute(_select().where(ChannelCredential.prefix == parts[1])).one_or_none()
    if row is None or row.revoked_at is not None or not hmac.compare_digest(row.key_hmac, _hmac(keys, key)):
        return None
    return _credential(row)


def every(engine: Engine) -> list[Credential]:
    """List all keys, the revoked ones too."""
    with reading(engine) as connection:
        return [_credential(row) for row in connection.execute(_select().order_by(ChannelCredential.created_at))]


def revoke(engine: Engine, name: str, now: datetime) -> None:
    """End a key for good; once revoked, the first time stands. `NotFound` if there is none of this name."""
    named = ChannelCredential.name == name
    with writing(engine) as connection:
        if connection.scalar(select(ChannelCredential.id).where(named)) is None:
            raise NotFound(f"there is no channel named {name}")
        connection.execute(
            update(ChannelCredential).where(named, ChannelCredential.revoked_at.is_(None)).values(revoked_at=now)
        )


def _select() -> Select[Any]:
    columns = ("id", "name", "channel", "scopes", "prefix", "key_hmac", "created_at", "revoked_at")
    return select(*(getattr(ChannelCredential, column) for column in columns))


def _credential(row: Row[Any]) -> Credential:
    scopes = frozenset(Scope(scope) for scope in row.scopes.split() if scope in set(Scope))
    channel = Channel(row.channel)
    return Credential(row.id, row.name, channel, scopes, row.prefix, row.created_at, row.revoked_at)


def _hmac(keys: Keys, key: str) -> bytes:
    return hmac.digest(keys.credentials, key.encode(), "sha256")
