"""The arithmetic of the ledger: what of a row is digested, and how one entry follows from another.

PURE. Rule: a digest is made of what the database gives back, whichever database: times in UTC, a column without a value
left out (so that a column added later changes no old digest), whole numbers without a fraction (JSONB keeps none).
A sealed field takes part by the hash of its ciphertext: it can be deleted for real and the row still verifies.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

GENESIS = bytes(32)  # what the first entry follows


def sealed_hash(ciphertext: bytes) -> str:
    """Name a ciphertext; its nonce makes the hash say nothing of the text."""
    return hashlib.sha256(ciphertext).hexdigest()


def row_digest(
    key: bytes,
    name: tuple[str, str],
    fields: Mapping[str, object],
    sealed: Mapping[str, str],
    parts: Mapping[str, Sequence[Mapping[str, object]]],
) -> bytes:
    """Digest a row, named by table and id (HMAC-SHA-256, 32 bytes).

    Its plain fields, the hashes of its sealed ones, and the rows of other tables that are part of it.
    """
    content: list[object] = [*name, _present(fields), sealed]
    if parts:
        content.append({name: sorted(_text(_present(part)) for part in rows) for name, rows in parts.items()})
    return hmac.digest(key, _text(content).encode(), "sha256")


def entry_hash(key: bytes, previous: bytes, *, seq: int, at: datetime, table: str, row: str, digest: bytes) -> bytes:
    """Chain an entry to the one before (HMAC-SHA-256, 32 bytes)."""
    content = b"".join(
        (
            previous,
            seq.to_bytes(8, "big"),
            _moment(at).encode(),
            digest,
            row.replace("-", "").encode(),
            table.encode(),  # last: the only part whose length varies
        )
    )
    return hmac.digest(key, content, "sha256")


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _present(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: _whole(value) for name, value in fields.items() if value is not None}


def _whole(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case Mapping():
            return {str(name): _whole(part) for name, part in value.items()}
        case list() | tuple():
            return [_whole(part) for part in value]
        case _:
            return value


def _plain(value: object) -> str:
    match value:
        case datetime():
            return _moment(value)
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"the ledger keeps no {type(value).__name__}")


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")
