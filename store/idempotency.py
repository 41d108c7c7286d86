"""Repeated requests. Rule: the same body meets its first answer, another body is refused; kept for a day at least."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select

from store.database import writing
from store.errors import IdempotencyConflict
from store.schema import AnsweredRequest
from store.secret import Keys

KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, under which key, and what: a keyed hash, for a comment in a plain one is found by trying."""

    credential: str
    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What the first request was answered."""

    verdict: str
    evaluation: str | None


def fingerprint(keys: Keys, body: Mapping[str, object]) -> bytes:
    """Compare bodies without keeping them (32 bytes)."""
    text = json.dumps(body, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text, key=keys.blind_index, digest_size=32).digest()


def earlier(connection: Connection, asked: Asked | None) -> Answered | None:
    """Give the first answer, or None; `IdempotencyConflict` if it was to another body."""
    if asked is None:
        return None
    row = connection.execute(
        select(AnsweredRequest.request_hash, AnsweredRequest.verdict, AnsweredRequest.evaluation)
        .where(AnsweredRequest.credential == asked.credential)
        .where(AnsweredRequest.idempotency_key == asked.key)
    ).one_or_none()
    if row is None:
        return None
    if row.request_hash != asked.body:
        raise IdempotencyConflict("this Idempotency-Key was used before with another body")
    return Answered(row.verdict, row.evaluation)


def remember(connection: Connection, asked: Asked | None, answered: Answered, now: datetime) -> None:
    """Keep the answer, in the transaction that makes it true."""
    if asked is None:
        return
    connection.execute(
        insert(AnsweredRequest).values(
            credential=asked.credential,
            idempotency_key=asked.key,
            request_hash=asked.body,
            verdict=answered.verdict,
            evaluation=answered.evaluation,
            at=now,
        )
    )


def forget(engine: Engine, now: datetime) -> int:
    """Delete the answers whose time is over; give how many."""
    with writing(engine) as connection:
        return connection.execute(delete(AnsweredRequest).where(AnsweredRequest.at < now - KEPT)).rowcount
