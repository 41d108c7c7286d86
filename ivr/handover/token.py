"""The token that ties a call to its contact. Rule: opaque, signed, expiring, and readable from a SIP user part.

Layout before base32 (45 bytes, so 72 characters and no spare bits):
version 1 | site 4 | language 1 | contact 16 | expiry 4 (unix seconds) | HMAC-SHA-256 cut to 16 | SHA-256 of all that
cut to 3. The last three are no secret: they tell a token damaged on its way from a whole token of another site.
A PBX may change the case of a user part or put a dialled prefix before it; neither hurts.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from store.call import Match
from store.secret import Keys

PREFIX = "pj"
LENGTH = len(PREFIX) + 72

_VERSION = 1
# the place is the byte in the token: append only
_LANGUAGES: tuple[str | None, ...] = (None, "zh-CN", "en")
LANGUAGES = tuple(language for language in _LANGUAGES if language)

_WHOLE = re.compile(rf"{PREFIX}[a-z2-7]{{72}}(?![a-z0-9])", re.IGNORECASE | re.ASCII)
# a token cut or damaged by a trunk is still meant as one; `pjsip`, `pjones` are not
_MEANT = re.compile(rf"(?<![a-z0-9]){PREFIX}[a-z0-9]{{22,126}}(?![a-z0-9])", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a token says. `contact` is given only where the signature holds: for `TOKEN` and `EXPIRED`."""

    match: Match
    contact: str | None = None
    language: str | None = None


def issue(keys: Keys, contact: str, language: str | None, expires_at: datetime) -> str:
    """Make the token of a contact (a UUID). Equal input gives an equal token; `ValueError` for an unknown language."""
    body = b"".join(
        (
            bytes((_VERSION,)),
            keys.site,
            bytes((_LANGUAGES.index(language),)),
            bytes.fromhex(contact.replace("-", "")),
            int(expires_at.timestamp()).to_bytes(4, "big"),
        )
    )
    assert len(body) == 26, "a contact is a UUID"
    signed = body + _signature(keys, body)
    return PREFIX + base64.b32encode(signed + _check(signed)).decode("ascii").lower()


def read(text: str, keys: Keys, now: datetime) -> Reading:
    """Read a token, or text with a token in it, in any case. Never raises on any text."""
    found = find_token(text)
    if found is None:
        return Reading(Match.NONE)
    raw = _decode(found)
    if raw is None:
        return Reading(Match.FORGED)
    if raw[1:5] != keys.site:
        return Reading(Match.FOREIGN)
    body, signature = raw[:26], raw[26:42]
    if not hmac.compare_digest(signature, _signature(keys, body)) or body[0] != _VERSION or body[5] >= len(_LANGUAGES):
        return Reading(Match.FORGED)
    expires_at = datetime.fromtimestamp(int.from_bytes(body[22:26], "big"), UTC)
    match = Match.TOKEN if now < expires_at else Match.EXPIRED
    return Reading(match, _dashed(body[6:22].hex()), _LANGUAGES[body[5]])


def find_token(text: str) -> str | None:
    """Give the first thing in a text that is, or was meant as, a token."""
    found = _WHOLE.search(text) or _MEANT.search(text)
    return found[0].lower() if found else None


def looks_like_token(text: str) -> bool:
    """Say whether a text holds something meant as a token, valid or not."""
    return find_token(text) is not None


def _decode(token: str) -> bytes | None:
    """Undo base32 and the open check; None for what cannot have left an issuer like this."""
    if len(token) != LENGTH:
        return None
    try:
        raw = base64.b32decode(token[len(PREFIX) :].upper())
    except ValueError:
        return None
    return raw if _check(raw[:42]) == raw[42:] else None


def _signature(keys: Keys, body: bytes) -> bytes:
    return hmac.digest(keys.handover, body, "sha256")[:16]


def _check(signed: bytes) -> bytes:
    return hashlib.sha256(signed).digest()[:3]


def _dashed(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
