"""One message by HTTP. Rule: every way it can fail comes back as a value, within a bounded time and size.

No redirect is followed: a signed message goes where the targets file says and nowhere else.
"""

import time
from dataclasses import dataclass, field

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from store.exports.answer import Fault, Response
from store.exports.mapping import Kind
from store.exports.signature import signed_headers
from store.exports.targets import Target

LONGEST_ANSWER = 64 * 1024  # bytes; the rest is not read
_CHUNK = 4096


@dataclass(slots=True)
class Sender:
    """Sends to one target, over connections it keeps."""

    target: Target
    _pool: urllib3.PoolManager = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare; connects to nothing yet."""
        own = self.target.ca_file
        self._pool = urllib3.PoolManager(
            num_pools=4,
            timeout=urllib3.Timeout(self.target.timeout_seconds),
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(own) if own else None,
        )

    def __call__(self, kind: Kind, message: str, body: bytes, *, timestamp: int, nonce: str) -> Response | Fault:
        """POST a message; `message` is the id a repetition is known by."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "Pingjia",
            "Idempotency-Key": message,
            "X-Pingjia-Kind": str(kind),
        } | signed_headers(self.target.secret, self.target.key, timestamp, nonce, body)
        try:
            return self._post(self.target.urls[kind], body, headers)
        except (HTTPError, OSError, ValueError) as error:  # ValueError: an answer that is no HTTP at all
            return Fault(_sentence(error, self.target.timeout_seconds))

    def close(self) -> None:
        """Give the connections back."""
        self._pool.clear()

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Response | Fault:
        until = time.monotonic() + self.target.timeout_seconds
        answer = self._pool.request("POST", url, body=body, headers=headers, redirect=False, preload_content=False)
        try:
            read = bytearray()
            # what is there, not until so many bytes are: a byte now and then would never come to an end
            while chunk := answer.read1(_CHUNK, decode_content=False):
                read += chunk
                if time.monotonic() > until:
                    answer.close()
                    return Fault(f"the answer was not whole after {self.target.timeout_seconds:g} s")
                if len(read) > LONGEST_ANSWER:
                    answer.close()  # what is left of it must not be taken for the next answer
                    break
            return Response(answer.status, bytes(read[:LONGEST_ANSWER]), answer.headers.get("Retry-After"))
        finally:
            answer.release_conn()


def _sentence(error: Exception, seconds: float) -> str:
    match error:
        case NewConnectionError():
            return "nobody takes connections there"
        case ConnectTimeoutError():
            return f"no connection after {seconds:g} s"
        case ReadTimeoutError():
            return f"no answer after {seconds:g} s"
        case SSLError():
            return f"TLS: {' '.join(str(error).split())[:160]}"
        case IncompleteRead() | ProtocolError():
            return "the connection broke before the answer was whole"
    return f"{type(error).__name__} while sending"
