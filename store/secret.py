"""The one secret of a site, from which every key is derived. Rule: made once, mode 0600, never inside the database.

All nodes and the web server of one site share the file: a token issued by one is read by the others.
"""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from store.errors import SecretKeyError

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """One key per purpose (HKDF-SHA-256, RFC 5869): a leak in one place opens no other. `repr` shows none of them."""

    handover: bytes = field(repr=False)  # signs tokens, 32 bytes
    fields: bytes = field(repr=False)  # encrypts phone numbers, 32 bytes
    blind_index: bytes = field(repr=False)  # finds a phone number without decrypting, 32 bytes
    credentials: bytes = field(repr=False)  # HMAC of API keys, 32 bytes
    ledger: bytes = field(repr=False)  # chains what was written, 32 bytes
    site: bytes  # names the site in its tokens, 4 bytes, public


def derive(secret: bytes) -> Keys:
    """Derive all keys of a site from its secret (32 bytes)."""

    def key(purpose: str, length: int = 32) -> bytes:
        return HKDF(SHA256(), length, salt=None, info=b"pingjia/" + purpose.encode()).derive(secret)

    return Keys(
        handover=key("handover"),
        fields=key("fields"),
        blind_index=key("blind-index"),
        credentials=key("credentials"),
        ledger=key("ledger"),
        site=key("site", 4),
    )


def load_keys(path: Path) -> Keys:
    """Read the secret key file, making it (and its folder) on first use; `SecretKeyError` says what is wrong."""
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
    return derive(_parse(path, text))


def _parse(path: Path, text: str) -> bytes:
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SecretKeyError(f"the secret key file {path} does not hold {SECRET_BYTES * 2} hexadecimal digits")
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
