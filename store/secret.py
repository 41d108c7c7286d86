"""The one secret of a site, from which every key is derived. Rule: made once, mode 0600, never inside the database.

All nodes and the web server of one site share the file: a token issued by one is read by the others. Its first line
is the site's secret; further lines, `NUMBER:HEX`, are later secrets that seal fields, the last of them from now on.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from store.errors import SecretKeyError
from store.privacy import LAST_KEY, FieldKey, FieldKeys, Suite

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """One key per purpose (HKDF-SHA-256, RFC 5869): a leak in one place opens no other. `repr` shows none of them."""

    handover: bytes = field(repr=False)  # signs tokens, 32 bytes
    fields: FieldKeys  # seal what is confidential
    blind_index: bytes = field(repr=False)  # finds a phone number without decrypting, 32 bytes
    credentials: bytes = field(repr=False)  # HMAC of API keys, 32 bytes
    ledger: bytes = field(repr=False)  # chains what was written, 32 bytes
    site: bytes  # names the site in its tokens, 4 bytes, public


def derive(secret: bytes, later: Mapping[int, bytes] | None = None, suite: Suite = Suite.AES_GCM) -> Keys:
    """Derive all keys of a site from its secret (32 bytes); `later`: secrets by number that seal fields after it."""
    numbered = {1: secret} | dict(later or {})
    return Keys(
        handover=_key(secret, "handover"),
        fields=FieldKeys(tuple(_field_key(number, each) for number, each in numbered.items()), suite),
        blind_index=_key(secret, "blind-index"),
        credentials=_key(secret, "credentials"),
        ledger=_key(secret, "ledger"),
        site=_key(secret, "site", 4),
    )


def _field_key(number: int, secret: bytes) -> FieldKey:
    return FieldKey(number, _key(secret, "fields"), _key(secret, "fields/sm4", 16))


def _key(secret: bytes, purpose: str, length: int = 32) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"pingjia/" + purpose.encode()).derive(secret)


def load_keys(path: Path, suite: Suite = Suite.AES_GCM) -> Keys:
    """Read the secret key file, making it (and its folder) on first use; `SecretKeyError` says what is wrong.

    `suite`: what new fields are sealed with (FIELD_CIPHER).
    """
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretKeyError(f"the secret key file {path} cannot be read or made: {error}") from error
    # a group may read it (a service account's secret mount), others may not, and nobody but the owner may write it
    if mode & 0o027:
        raise SecretKeyError(f"the secret key file {path} is open to others: run chmod 600 {path}")
    first, *more = text.split("\n")
    return derive(_secret(path, first), _later(path, more), suite)


def _later(path: Path, lines: Sequence[str]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for line in filter(None, map(str.strip, lines)):
        number, _, digits = line.partition(":")
        if not number.isdecimal() or not 1 < int(number) <= LAST_KEY or int(number) in found:
            raise SecretKeyError(
                f"the secret key file {path}: begin each later line with a new number, 2-{LAST_KEY}, and :"
            )
        found[int(number)] = _secret(path, digits)
    return found


def _secret(path: Path, digits: str) -> bytes:
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SecretKeyError(f"the secret key file {path} does not hold {SECRET_BYTES * 2} hexadecimal digits a line")
    return secret


def _make(path: Path) -> None:
    """Write a new secret; several processes starting at once all end up with the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # link, not rename: the first to arrive wins and the file is never replaced nor seen half written
            os.link(draft, path)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        draft.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
