"""What both sides of a call agreed to call it: identifiers, sequence numbers, targets and routes (RFC 3261 12)."""

from __future__ import annotations

from ivr.sip import name_address, uri, via
from ivr.sip.effects import Peer
from ivr.sip.errors import BadHeader
from ivr.sip.header_list import split_commas
from ivr.sip.message import Request


class Dialog:
    """A dialog this side was called into. `peer` is where the other side last spoke from: requests go back there,

    because nothing is ever sent to an address that did not signal; the route set is still written into them.
    """

    __slots__ = (
        "_local", "_local_number", "_remote", "call_id", "local_tag", "peer", "remote_number", "remote_tag",
        "remote_target", "route_set",
    )  # fmt: skip

    def __init__(self, invite: Request, local_tag: str, peer: Peer) -> None:
        """BadHeader if the INVITE's Contact or Record-Route could not be put into a request of ours."""
        self.call_id = invite.call_id
        self.local_tag = local_tag
        self.remote_tag = invite.from_.tag
        self.remote_number = invite.cseq.number
        self.peer = peer
        # From and To as the INVITE had them, whatever a later request shows
        self._remote = invite.headers("from")[0]
        self._local = f"{invite.headers('to')[0]};tag={local_tag}"
        self._local_number = 0
        # RFC 2543 callers send no Contact; their From is all there is
        self.remote_target = target_of(invite) or uri.without_headers(invite.from_.uri_text)
        self.route_set = invite.elements("record-route")
        for route in self.route_set:
            uri.parse(name_address.parse(route).uri_text)

    def owns(self, request: Request) -> bool:
        """Whether a request with our tag belongs here; an RFC 2543 caller has no tag of its own."""
        return request.from_.tag == self.remote_tag and request.call_id == self.call_id

    def admits(self, request: Request) -> bool:
        """Count a request in; False if it is not newer than all before (RFC 3261 12.2.2)."""
        if request.cseq.number <= self.remote_number:
            return False
        self.remote_number = request.cseq.number
        return True

    def request(self, method: str, *, contact: str, branch: str, headers: str = "") -> bytes:
        """A request of ours within the dialog; `headers` are further lines, each ended by CRLF."""
        self._local_number += 1
        target, routes = self._routed()
        host, port = own_address(contact)
        hop = via.own(self.peer.transport, host, port or self.peer.local_port, branch)
        return (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: {hop}\r\n"
            "Max-Forwards: 70\r\n"
            f"{''.join(f'Route: {route}' + chr(13) + chr(10) for route in routes)}"
            f"From: {self._local}\r\n"
            f"To: {self._remote}\r\n"
            f"Call-ID: {self.call_id}\r\n"
            f"CSeq: {self._local_number} {method}\r\n"
            f"{headers}"
            "Content-Length: 0\r\n\r\n"
        ).encode("latin-1")

    def _routed(self) -> tuple[str, list[str]]:
        """Request-URI and Route values (RFC 3261 12.2.1.1); a strict router gets itself as Request-URI."""
        if not self.route_set:
            return self.remote_target, []
        first = name_address.parse(self.route_set[0])
        if first.uri.is_loose_router:
            return self.remote_target, self.route_set
        return uri.without_headers(first.uri_text), [*self.route_set[1:], f"<{self.remote_target}>"]


def target_of(request: Request) -> str | None:
    """The URI of the Contact, fit for a start line; None if there is none, BadHeader if it is no URI to call."""
    line = request.header("contact")
    if line is None:
        return None
    contacts = split_commas(line)
    if not contacts:
        raise BadHeader("Bad Contact")
    contact = name_address.parse(contacts[0])
    if contact.uri.scheme not in {"sip", "sips", "tel"}:
        raise BadHeader("Bad Contact")
    return uri.without_headers(contact.uri_text)


def own_address(contact: str) -> tuple[str, int | None]:
    """Host and port of our own Contact URI."""
    own = uri.parse(contact)
    return own.host, own.port
