"""API keys of channels and systems. Rule: a key is shown once and kept only as an HMAC; a channel comes from its key.

A key reads `pj_<prefix>_<secret>`: the prefix finds the row, the HMAC (key outside the database) proves the rest.
While a channel changes over, its old and its new key are good side by side.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, RowMapping, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from store.database import reading, writing
from store.errors import NameTaken, NotFound
from store.schema import ChannelBucket, ChannelCredential, ChannelKey
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
    CTI = "cti"  # the hotline's own systems and its staff's desks: register contacts, give no grades


class Scope(StrEnum):
    """What a key may do."""

    CONTACTS_WRITE = "contacts:write"
    CONTACTS_READ = "contacts:read"
    CONTACTS_REVEAL = "contacts:reveal"  # the case team's desk: numbers and words in clear, each look with its reason
    CONTACTS_LEASE = "contacts:lease"  # take the turn to ask a contact
    EVALUATIONS_WRITE = "evaluations:write"  # bring in what citizens gave
    EVALUATIONS_READ = "evaluations:read"
    CALLS_READ = "calls:read"
    CATALOGUE_WRITE = "catalogue:write"
    CATALOGUE_READ = "catalogue:read"
    CASES_READ = "cases:read"
    CASES_CASE_TEAM = "cases:case_team"
    CASES_DEPARTMENT = "cases:department"
    CASES_REVIEWER = "cases:reviewer"
    STATISTICS_READ = "statistics:read"


def default_scopes(channel: Channel) -> frozenset[Scope]:
    """Give what a channel's key may do when nothing was said. Reading grades is for nobody by default (4.9)."""
    if channel is Channel.CTI:
        return frozenset({Scope.CONTACTS_WRITE, Scope.CONTACTS_READ})
    return frozenset({Scope.CONTACTS_READ, Scope.CONTACTS_LEASE, Scope.EVALUATIONS_WRITE})


def allowed(channel: Channel, scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Take from scopes what a channel may never do, whatever its key was given.

    Staff insert no grades; what asks at the counter, in the evaluated side's hands, never shows who gave one (4.9).
    """
    return scopes - {Scope.EVALUATIONS_WRITE if channel is Channel.CTI else Scope.CONTACTS_REVEAL}


@dataclass(frozen=True, slots=True)
class Credential:
    """A key's owner, as known after checking the key."""

    id: str
    name: str
    channel: Channel
    scopes: frozenset[Scope]
    per_minute: int | None
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A channel in a list: its keys by prefix, the newest first, those that are good now."""

    name: str
    channel: Channel
    scopes: frozenset[Scope]
    prefix: list[str]
    per_minute: int | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def add(
    engine: Engine,
    keys: Keys,
    name: str,
    *,
    channel: Channel,
    scopes: frozenset[Scope],
    now: datetime,
    per_minute: int | None = None,
) -> str:
    """Make a channel and its key and give the key, the only time it exists in clear; `NameTaken` if it exists."""
    row = {
        "id": str(uuid4()),
        "name": name,
        "channel": channel,
        "scopes": " ".join(sorted(scopes)),
        "per_minute": per_minute,
        "created_at": now,
    }
    try:
        with writing(engine) as connection:
            connection.execute(insert(ChannelCredential).values(row))
            return _new_key(connection, keys, str(row["id"]), now)
    except IntegrityError:
        raise NameTaken(f"a channel named {name} exists: choose another name") from None


def rotate(engine: Engine, keys: Keys, name: str, *, overlap: timedelta, now: datetime) -> str:
    """Give a channel a new key; the newest of before stays good for `overlap`, older ones end now.

    `NotFound` if there is no channel of this name, or it is revoked.
    """
    with writing(engine) as connection:
        named = (ChannelCredential.name == name, ChannelCredential.revoked_at.is_(None))
        owner = connection.scalar(select(ChannelCredential.id).where(*named).with_for_update())
        if owner is None:
            raise NotFound(f"there is no channel named {name}, or it is revoked")
        good = (ChannelKey.credential == owner, ChannelKey.expires_at.is_(None) | (ChannelKey.expires_at > now))
        held = list(connection.scalars(select(ChannelKey.id).where(*good).order_by(ChannelKey.created_at.desc())))
        for place, key in enumerate(held):
            until = now if place else now + overlap
            ends = update(ChannelKey).where(ChannelKey.id == key)
            ends = ends.where(ChannelKey.expires_at.is_(None) | (ChannelKey.expires_at > until))
            connection.execute(ends.values(expires_at=until))
        return _new_key(connection, keys, owner, now)


def check(engine: Engine, keys: Keys, key: str, now: datetime) -> Credential | None:
    """Give the owner of a key that is good now; None for any other."""
    parts = key.split("_", 2)
    if len(parts) != 3 or not key.isascii():
        return None
    with reading(engine) as connection:
        row = connection.execute(_select().where(ChannelKey.prefix == parts[1])).one_or_none()
    if row is None or row.revoked_at is not None or not hmac.compare_digest(row.key_hmac, _hmac(keys, key)):
        return None
    if row.expires_at is not None and row.expires_at <= now:
        return None
    channel = Channel(row.channel)
    scopes = allowed(channel, _scopes(row.scopes))
    return Credential(row.id, row.name, channel, scopes, row.per_minute, row.created_at, row.revoked_at)


def every(engine: Engine, now: datetime) -> list[Listed]:
    """List all channels, the revoked ones too."""
    statement = (
        select(*ChannelCredential.__table__.columns, ChannelBucket.last_used_at)
        .outerjoin(ChannelBucket, ChannelBucket.credential == ChannelCredential.id)
        .order_by(ChannelCredential.created_at, ChannelCredential.name)
    )
    good = select(ChannelKey.credential, ChannelKey.prefix).order_by(ChannelKey.created_at.desc())
    good = good.where(ChannelKey.expires_at.is_(None) | (ChannelKey.expires_at > now))
    with reading(engine) as connection:
        prefixes: dict[str, list[str]] = {}
        for owner, prefix in connection.execute(good):
            prefixes.setdefault(owner, []).append(prefix)
        return [_listed(row, prefixes.get(row["id"], [])) for row in connection.execute(statement).mappings()]


def revoke(engine: Engine, name: str, now: datetime) -> None:
    """End all keys of a channel for good; once revoked, the first time stands. `NotFound` if there is none."""
    named = ChannelCredential.name == name
    with writing(engine) as connection:
        if connection.scalar(select(ChannelCredential.id).where(named)) is None:
            raise NotFound(f"there is no channel named {name}")
        connection.execute(
            update(ChannelCredential).where(named, ChannelCredential.revoked_at.is_(None)).values(revoked_at=now)
        )


def _new_key(connection: Connection, keys: Keys, owner: str, now: datetime) -> str:
    prefix = secrets.token_hex(5)
    key = f"pj_{prefix}_{secrets.token_urlsafe(32)}"
    row = {"id": str(uuid4()), "credential": owner, "prefix": prefix, "key_hmac": _hmac(keys, key), "created_at": now}
    connection.execute(insert(ChannelKey).values(row))
    return key


def _select() -> Select[Any]:
    columns = ("id", "name", "channel", "scopes", "per_minute", "created_at", "revoked_at")
    return select(
        *(getattr(ChannelCredential, column) for column in columns), ChannelKey.key_hmac, ChannelKey.expires_at
    ).join(ChannelKey, ChannelKey.credential == ChannelCredential.id)


def _listed(row: RowMapping, prefixes: list[str]) -> Listed:
    return Listed(
        row["name"],
        Channel(row["channel"]),
        _scopes(row["scopes"]),
        prefixes,
        row["per_minute"],
        row["created_at"],
        row["last_used_at"],
        row["revoked_at"],
    )


def _scopes(text: str) -> frozenset[Scope]:
    return frozenset(Scope(scope) for scope in text.split() if scope in set(Scope))


def _hmac(keys: Keys, key: str) -> bytes:
    return hmac.digest(keys.credentials, key.encode(), "sha256")
