"""What can be wrong with bytes that claim to be SIP or SDP: one family, raised where the fault is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivr.sip.message import Request


class SipError(Exception):
    """Any fault of a message, a header value, a description or a stream."""


class BadHeader(SipError):
    """A header value that cannot be read; its text is fit for a reason phrase."""


class MalformedMessage(SipError):
    """Bytes that are no SIP message, or a request that must be answered 4xx/5xx before anything else is read.

    `salvage` is the request as far as it could be read (None: nothing to answer, drop the bytes), `status`
    the answer due, `breaks_stream` whether a TCP connection can no longer be framed after it.
    """

    def __init__(
        self, reason: str, salvage: Request | None = None, status: int = 400, *, breaks_stream: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.salvage = salvage
        self.status = status
        self.breaks_stream = breaks_stream


class FramingBroken(SipError):
    """A stream that can no longer be cut into messages.

    Take the messages in `whole` first, then answer `head` as if it were a message, then close.
    """

    def __init__(self, reason: str, head: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.head = head
        self.whole: list[bytes] = []


class MalformedDescription(SipError):
    """A body that is no SDP (RFC 8866): answer 400."""


class NotAcceptable(SipError):
    """A sound offer that this service cannot take part in: answer 488."""
