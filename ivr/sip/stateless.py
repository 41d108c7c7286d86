"""The one answer a source outside the trunks gets: 403, kept nowhere, so that a flood of them costs no memory."""

from __future__ import annotations

from ivr.sip.effects import Peer
from ivr.sip.errors import MalformedMessage
from ivr.sip.message import Request, parse
from ivr.sip.response import Responder, stateless_tag


def forbidden(data: bytes, peer: Peer) -> bytes | None:
    """The 403 to a request; None for responses, ACKs and whatever is no SIP (RFC 3261 8.2.7)."""
    try:
        message = parse(data)
    except MalformedMessage:
        return None
    if not isinstance(message, Request) or message.method == "ACK":
        return None
    return Responder(message, peer, stateless_tag(message), "").write(403)
