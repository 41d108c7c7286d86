"""Registering a contact. Rule: one request twice is one contact; the caller's number is stored sealed."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from store.catalogue import unknown_codes
from store.contact import NewContact, contact_number, service_end
from store.database import writing
from store.deadline import deemed_due
from store.errors import IdempotencyConflict
from store.ledger import keep
from store.privacy import NONCE_BYTES, FieldCipher, blind_index
from store.schema import Contact
from store.secret import Keys

# two writers with one idempotency key, or a contact number met twice in a day: another attempt settles it
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Registered:
    """What a token and an answer are made of; `new` is False for a request seen before."""

    id: str
    number: str
    language: str | None
    expires_at: datetime
    new: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, and under which idempotency key."""

    credential: str | None = None
    idempotency_key: str | None = None


def register(
    engine: Engine,
    keys: Keys,
    contact: NewContact,
    *,
    now: datetime,
    expires_at: datetime,
    request: Request | None = None,
) -> Registered:
    """Store a contact and give its id, number and expiry (whole seconds, as its token has them).

    A repeated idempotency key gives the first answer; with another body it raises `IdempotencyConflict`.
    """
    request = request or Request()
    for attempt in range(_ATTEMPTS):
        try:
            with writing(engine) as connection:
                return _earlier(connection, keys, contact, request) or enter(
                    connection, keys, contact, now=now, expires_at=expires_at, request=request
                )
        except IntegrityError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError  # the loop returns or raises


def _earlier(connection: Connection, keys: Keys, contact: NewContact, request: Request) -> Registered | None:
    if request.idempotency_key is None:
        return None
    row = connection.execute(
        select(Contact.id, Contact.number, Contact.language, Contact.expires_at, Contact.request_hash)
        .where(Contact.credential == request.credential)
        .where(Contact.idempotency_key == request.idempotency_key)
    ).one_or_none()
    if row is None:
        return None
    if row.request_hash != _hash(contact, keys):
        raise IdempotencyConflict("this Idempotency-Key was used before with another body")
    return Registered(row.id, row.number, row.language, row.expires_at, new=False)


def enter(
    connection: Connection, keys: Keys, contact: NewContact, *, now: datetime, expires_at: datetime, request: Request
) -> Registered:
    """Insert one contact in the caller's transaction; what its codes name need not be in the catalogue."""
    contact_id = str(uuid4())
    row = asdict(contact) | {
        "id": contact_id,
        "number": contact_number(contact_id, now),
        "kind": contact.settled_kind,
        "caller": None,
        "caller_index": None,
        "unknown_codes": unknown_codes(connection, asdict(contact)) or None,
        "owed_until": deemed_due(service_end(contact.served_at, now)).at,
        "outcome": None,
        "outcome_at": None,
        "registered_at": now,
        "expires_at": expires_at.replace(microsecond=0),
        "credential": request.credential,
        "idempotency_key": request.idempotency_key,
        "request_hash": _hash(contact, keys) if request.idempotency_key else None,
    }
    if contact.caller:
        cipher = FieldCipher(keys.fields)
        row["caller"] = cipher.seal(contact.caller, contact_id.encode(), secrets.token_bytes(NONCE_BYTES))
        row["caller_index"] = blind_index(contact.caller, keys.blind_index)
    keep(connection, keys, Contact, [row], now)
    return Registered(contact_id, row["number"], contact.language, row["expires_at"])


def _hash(contact: NewContact, keys: Keys) -> bytes:
    """Compare requests without keeping them; keyed, for a number in a plain hash is found by trying all."""
    body = json.dumps(asdict(contact), sort_keys=True, default=str).encode()
    return hashlib.blake2b(body, key=keys.blind_index, digest_size=32).digest()
