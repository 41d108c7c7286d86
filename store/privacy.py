"""What stays confidential, at rest and on screens. Rule: sealed to its row, masked where shown, found by a keyed index.

PURE: nonces come as arguments. About 10^10 phone numbers exist, so a plain hash of one is reversible: the blind index
is an HMAC whose key is outside the database.
"""

import hmac
import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from store.errors import CipherError

NONCE_BYTES = 12
_TAG_BYTES = 16
_SM4_BIT = 0x80  # in the first byte of what is sealed; the other seven bits are the key's number
LAST_KEY = 0x7F

_MOBILE = re.compile(r"(?:0|86|0086)?(1[3-9][0-9]{9})")
_NOT_A_DIGIT = re.compile(r"[^0-9]")


class Suite(StrEnum):
    """What seals a field: both authenticate it."""

    AES_GCM = "aes-gcm"  # AES-256-GCM (NIST SP 800-38D)
    SM4_GCM = "sm4-gcm"  # SM4-GCM (GB/T 32907, RFC 8998)


@dataclass(frozen=True, slots=True)
class FieldKey:
    """One key's two forms, derived apart, so that neither cipher ever meets the other's key."""

    number: int  # 1-127
    aes: bytes = field(repr=False)  # 32 bytes
    sm4: bytes = field(repr=False)  # 16 bytes


@dataclass(frozen=True, slots=True)
class FieldKeys:
    """All keys that open fields; the last one seals, with the site's suite."""

    known: tuple[FieldKey, ...]
    suite: Suite = Suite.AES_GCM


class FieldCipher:
    """Seals and opens one field of one row.

    Sealed bytes are: key id 1 | nonce 12 | ciphertext | tag 16. The key id is the key's number, with the high bit set
    for SM4; it is authenticated together with the row's id. Whatever a known key sealed, by either suite, opens.
    """

    def __init__(self, keys: FieldKeys) -> None:
        """Take the site's keys (`Keys.fields`)."""
        self._known = {key.number: key for key in keys.known}
        current = keys.known[-1].number
        self.key_id = bytes((current | (_SM4_BIT if keys.suite is Suite.SM4_GCM else 0),))

    def seal(self, text: str, context: bytes, nonce: bytes) -> bytes:
        """Encrypt a text for one row. `context`: the row's id in ASCII; `nonce`: 12 bytes never used before."""
        return self.seal_bytes(text.encode(), context, nonce)

    def seal_bytes(self, data: bytes, context: bytes, nonce: bytes) -> bytes:
        """Encrypt bytes, as of a file, in the same way."""
        key, bound = self._known[self.key_id[0] & LAST_KEY], self.key_id + context
        if self.key_id[0] & _SM4_BIT:
            return self.key_id + nonce + _sm4_seal(key.sm4, nonce, data, bound)
        return self.key_id + nonce + AESGCM(key.aes).encrypt(nonce, data, bound)

    def open(self, sealed: bytes, context: bytes) -> str:
        """Decrypt, or raise `CipherError`: another key, a field moved from another row, or changed bytes."""
        return self.open_bytes(sealed, context).decode()

    def open_bytes(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt what `seal_bytes` made."""
        if len(sealed) < 1 + NONCE_BYTES + _TAG_BYTES:
            raise CipherError("the sealed field is too short to be one")
        key = self._known.get(sealed[0] & LAST_KEY)
        if key is None:
            raise CipherError(f"the sealed field was made with key {sealed[0] & LAST_KEY}, which is not known here")
        nonce, data, bound = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], sealed[:1] + context
        try:
            if sealed[0] & _SM4_BIT:
                return _sm4_open(key.sm4, nonce, data, bound)
            return AESGCM(key.aes).decrypt(nonce, data, bound)
        except InvalidTag:
            raise CipherError("the sealed field was changed, or belongs to another row or key") from None


def _sm4_seal(key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes:
    encryptor = Cipher(SM4(key), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(bound)
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def _sm4_open(key: bytes, nonce: bytes, data: bytes, bound: bytes) -> bytes:
    decryptor = Cipher(SM4(key), GCM(nonce, data[-_TAG_BYTES:])).decryptor()
    decryptor.authenticate_additional_data(bound)
    return decryptor.update(data[:-_TAG_BYTES]) + decryptor.finalize()


def mask_number(number: str) -> str:
    """Show a number to somebody who need not know it: `138****0000`.

    Never more than 3 digits in front and 4 behind, and always at least 4 hidden; anything shorter, or without digits (a
    SIP address names a person as well as a number does), is hidden whole.
    """
    digits = _digits(number)
    hidden = len(digits) - 7
    if hidden < 4:
        return "****"
    return f"{digits[:3]}{'*' * hidden}{digits[-4:]}"


def blind_index(number: str, key: bytes) -> bytes:
    """Give what finds a number again without decrypting (`Keys.blind_index`); one number in every usual spelling.

    +86 138 0000 0000, 0086-13800000000, 8613800000000 and 013800000000 (a trunk's long-distance 0) are one number.
    """
    digits = _digits(number)
    if mobile := _MOBILE.fullmatch(digits):
        digits = mobile[1]
    elif digits.startswith("0086") or number.strip().startswith("+86"):
        digits = digits.removeprefix("00").removeprefix("86")
    return hmac.digest(key, digits.encode(), "sha256")


def _digits(number: str) -> str:
    return _NOT_A_DIGIT.sub("", unicodedata.normalize("NFKC", number))
