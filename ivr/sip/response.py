"""Writes responses: what must be copied from the request is copied verbatim, once per request (RFC 3261 8.2.6)."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from ivr.sip import via
from ivr.sip.effects import Peer
from ivr.sip.errors import BadHeader
from ivr.sip.message import Request

METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE")
ALLOW = f"Allow: {', '.join(METHODS)}\r\n"
ACCEPT = "Accept: application/sdp, application/dtmf-relay, application/dtmf\r\n"
# the empty list says that no extension is supported (RFC 3261 20.37)
SUPPORTED = "Supported: \r\n"

REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout", 415: "Unsupported Media Type",
    416: "Unsupported URI Scheme", 420: "Bad Extension", 422: "Session Interval Too Small", 469: "Bad Info Package",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
    500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable",
    505: "Version Not Supported", 513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline",
    604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}  # fmt: skip


class Responder:
    """Writes the responses to one request; all but 100 carry `tag` where the request's To has none."""

    __slots__ = ("_before_to", "_record_route", "_server", "_tag", "_tail", "_to")

    def __init__(self, request: Request, peer: Peer, tag: str, server: str) -> None:
        """`server` is the whole header line. What the request lacks or garbles is left out or copied as it is."""
        fields = request.fields
        hops = fields.get("via", [])
        lines = [f"Via: {_stamped(request, peer)}\r\n"] if hops else []
        lines += [f"Via: {hop}\r\n" for hop in hops[1:]]
        lines += [f"From: {value}\r\n" for value in fields.get("from", [])[:1]]
        self._before_to = "".join(lines)
        self._to = fields.get("to", [""])[0]
        self._tag = "" if _is_tagged(request) else f";tag={tag}"
        self._tail = _copied(fields, "call-id", "Call-ID") + _copied(fields, "cseq", "CSeq")
        self._record_route = "".join(f"Record-Route: {route}\r\n" for route in fields.get("record-route", ()))
        self._server = server

    def write(
        self, status: int, headers: str = "", body: bytes = b"", *, reason: str | None = None, in_dialog: bool = False
    ) -> bytes:
        """One response; `headers` are further lines, each ended by CRLF; `in_dialog` copies Record-Route."""
        tag = self._tag if status > 100 else ""
        to = f"To: {self._to}{tag}\r\n" if self._to else ""
        routes = self._record_route if in_dialog else ""
        return (
            f"SIP/2.0 {status} {one_line(reason) if reason else REASONS.get(status, 'Response')}\r\n"
            f"{self._before_to}{to}{self._tail}{routes}{headers}{self._server}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode("latin-1", "replace") + body


def _stamped(request: Request, peer: Peer) -> str:
    top = request.headers("via")[0]
    try:
        return via.stamp(top, request.via, peer.host, peer.port)
    except BadHeader:
        return top


def _is_tagged(request: Request) -> bool:
    try:
        return request.to.tag is not None
    except BadHeader:
        return True


def _copied(fields: dict[str, list[str]], name: str, shown: str) -> str:
    values = fields.get(name)
    return f"{shown}: {values[0]}\r\n" if values else ""


def one_line(text: str) -> str:
    """Line breaks become blanks: they would begin a header of their own."""
    return " ".join(text.splitlines())


def lines(headers: Sequence[tuple[str, str]]) -> str:
    """Header pairs as text."""
    return "".join(f"{name}: {one_line(value)}\r\n" for name, value in headers)


def stateless_tag(request: Request) -> str:
    """A To tag that every copy of a request gives again, for answers that are not remembered (RFC 3261 8.2.7)."""
    copied = (request.header(name) or "" for name in ("via", "from", "call-id", "cseq"))
    return f"{crc32(' '.join(copied).encode('latin-1')):08x}"
