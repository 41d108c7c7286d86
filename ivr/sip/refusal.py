"""Judges a request before it means anything, in the order of RFC 3261 8.2: what is wrong with it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.sip import body
from ivr.sip.errors import BadHeader
from ivr.sip.message import Request
from ivr.sip.response import ACCEPT, ALLOW, METHODS

# methods of the registry that this server knows and does not take: 405, not 501
KNOWN_METHODS = frozenset({"REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER", "PRACK"})
SUPPORTED_EXTENSIONS: frozenset[str] = frozenset()
_SCHEMES = frozenset({"sip", "tel"})
_WITHOUT_REQUIRE = frozenset({"ACK", "CANCEL"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final response: `headers` are whole lines, `reason` None the usual phrase."""

    status: int
    reason: str | None = None
    headers: str = ""


def malformed(request: Request, *, over_stream: bool) -> Refusal | None:
    """505 and 400: what every request must have, whatever its method (RFC 3261 8.1.1)."""
    if request.version != "SIP/2.0":
        return Refusal(505)
    try:
        _ = request.via, request.from_, request.to, request.call_id, request.uri
        mismatch = request.cseq.method != request.method
    except BadHeader as fault:
        return Refusal(400, str(fault))
    if mismatch:
        return Refusal(400, "CSeq Of Another Method")
    if over_stream and "content-length" not in request.fields:
        return Refusal(400, "Missing Content-Length")
    return None


def unsupported(request: Request) -> Refusal | None:
    """405, 501, 416 and 420: what this server does not do."""
    if request.method not in METHODS:
        return Refusal(405 if request.method in KNOWN_METHODS else 501, headers=ALLOW)
    if request.uri.scheme not in _SCHEMES:
        return Refusal(416)
    if "require" in request.fields and request.method not in _WITHOUT_REQUIRE:
        unknown = [tag for tag in request.elements("require") if tag.lower() not in SUPPORTED_EXTENSIONS]
        if unknown:
            return Refusal(420, headers=f"Unsupported: {', '.join(unknown)}\r\n")
    return None


def unanswerable(request: Request) -> Refusal | None:
    """415 and 406 of a request that offers a session: a body that is no SDP, an answer that may not be SDP."""
    try:
        body.description(request)
    except body.UnsupportedBody as fault:
        encoding = "Accept-Encoding: identity\r\n" if "encoding" in str(fault).lower() else ""
        return Refusal(415, headers=ACCEPT + encoding)
    if not body.admits_description(request):
        return Refusal(406, headers='Warning: 399 pingjia "application/sdp is all this service answers with"\r\n')
    return None
