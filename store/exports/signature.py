"""Proof that a message is ours and whole. Rule: HMAC-SHA-256 over time, nonce and body; the platform refuses old ones.

PURE: time and nonce come as arguments. The platform computes the same over what it received, compares in constant time,
refuses a timestamp more than some minutes away, and a nonce it has seen within them.
"""

import hmac

TIMESTAMP = "X-Pingjia-Timestamp"  # seconds since 1970
NONCE = "X-Pingjia-Nonce"  # 32 hexadecimal digits
KEY = "X-Pingjia-Key"  # which secret, as the platform calls it
SIGNATURE = "X-Pingjia-Signature"  # 64 hexadecimal digits


def signature(secret: bytes, timestamp: str, nonce: str, body: bytes) -> str:
    """Sign `timestamp LF nonce LF body`."""
    return hmac.digest(secret, f"{timestamp}\n{nonce}\n".encode() + body, "sha256").hex()


def signed_headers(secret: bytes, key: str, timestamp: int, nonce: str, body: bytes) -> dict[str, str]:
    """Give the headers that prove a body."""
    return {
        KEY: key,
        TIMESTAMP: str(timestamp),
        NONCE: nonce,
        SIGNATURE: signature(secret, str(timestamp), nonce, body),
    }
