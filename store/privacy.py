"""Phone numbers at rest and on screens. Rule: sealed to their row, masked where shown, found again by a keyed index.

PURE: nonces come as arguments. About 10^10 phone numbers exist, so a plain hash of one is reversible: the blind index
is an HMAC whose key is outside the database.
"""

import hmac
import re
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.errors import CipherError

NONCE_BYTES = 12
_TAG_BYTES = 16

_MOBILE = re.compile(r"(?:0|86|0086)?(1[3-9][0-9]{9})")
_NOT_A_DIGIT = re.compile(r"[^0-9]")


class FieldCipher:
    """AES-256-GCM (NIST SP 800-38D) for one field of one row.

    Sealed bytes are: key id 1 | nonce 12 | ciphertext | tag 16. The key id says which key opens them once keys rotate.
    """

    def __init__(self, key: bytes, key_id: int = 1) -> None:
        """Take a key of 32 bytes (`Keys.fields`) and the number it is known by, 0-255."""
        self._cipher = AESGCM(key)
        self._key_id = bytes((key_id,))

    def seal(self, text: str, context: bytes, nonce: bytes) -> bytes:
        """Encrypt a text for one row. `context`: the row's id in ASCII; `nonce`: 12 bytes never used before."""
        return self.seal_bytes(text.encode(), context, nonce)

    def seal_bytes(self, data: bytes, context: bytes, nonce: bytes) -> bytes:
        """Encrypt bytes, as of a file, in the same way."""
        return self._key_id + nonce + self._cipher.encrypt(nonce, data, self._key_id + context)

    def open(self, sealed: bytes, context: bytes) -> str:
        """Decrypt, or raise `CipherError`: another key, a field moved from another row, or changed bytes."""
        return self.open_bytes(sealed, context).decode()

    def open_bytes(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt what `seal_bytes` made."""
        if len(sealed) < 1 + NONCE_BYTES + _TAG_BYTES or sealed[:1] != self._key_id:
            raise CipherError("the sealed field was not made with this key")
        nonce, data = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, data, self._key_id + context)
        except InvalidTag:
            raise CipherError("the sealed field was changed, or belongs to another row or key") from None


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
