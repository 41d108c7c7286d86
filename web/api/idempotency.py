"""The `Idempotency-Key` header. Rule: 1 to 255 characters, or none at all."""

from flask import abort, request

LONGEST_KEY = 255


def idempotency_key() -> str | None:
    """Give the request's key; an empty or endless one is a mistake the caller must hear of."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        abort(400)
    return key
