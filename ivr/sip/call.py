"""One call from its INVITE to its end: what may happen when, and what it makes the gateway do.

The phases are few and every method says in which it acts; in all others it changes nothing, because on a
real trunk a BYE crosses a hang-up and an ACK comes late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from ivr.sip import body
from ivr.sip.dialog import Dialog, target_of
from ivr.sip.effects import (
    ChangeAnswered,
    ChangeOffered,
    DigitSignalled,
    Effect,
    Ended,
    EndedBy,
    Established,
    Offered,
    Peer,
)
from ivr.sip.errors import BadHeader
from ivr.sip.message import Request
from ivr.sip.refusal import Refusal, unanswerable
from ivr.sip.response import ACCEPT, ALLOW, SUPPORTED, Responder, lines
from ivr.sip.timers import Alarm
from ivr.sip.transaction import InviteServer, NonInviteServer
from ivr.sip.transaction_layer import TransactionLayer
from ivr.sip.via import MAGIC_COOKIE

_SDP_TYPE = "Content-Type: application/sdp\r\n"
_INVITE_HEADERS = ALLOW + SUPPORTED


class Phase(Enum):
    """Where a call stands."""

    OFFERED = auto()
    ACCEPTED = auto()
    """200 sent, its ACK awaited"""
    ESTABLISHED = auto()
    CLOSING = auto()
    """the service hung up: the BYE is under way, or waits for the ACK it may not overtake (RFC 3261 15)"""
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Change:
    """A re-INVITE or UPDATE the gateway has to answer; `target` is the Contact it brought, if any."""

    request: Request
    responder: Responder
    transaction: InviteServer | NonInviteServer
    target: str | None
    late: bool


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A 2xx to an INVITE whose ACK is awaited; `late`: that ACK brings the answer to our offer."""

    number: int
    transaction: InviteServer
    late: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """What all calls of a node stand on; `server` and `user_agent` are whole header lines."""

    layer: TransactionLayer
    new_tag: Callable[[], str]
    contact: Callable[[Peer], str]
    server: str
    user_agent: str
    answer_seconds: float


class Call:
    """A call leg, known to the gateway by `handle`; `on_end` hears once that it is over and must be forgotten."""

    __slots__ = (
        "_awaited", "_change", "_contact", "_ground", "_invite", "_on_end", "_reason", "_responder", "_transaction",
        "_unanswered", "dialog", "handle", "phase",
    )  # fmt: skip

    def __init__(
        self, handle: str, invite: Request, tag: str, peer: Peer, *, ground: Ground, on_end: Callable[[Call], None]
    ) -> None:
        """BadHeader if the INVITE gives no dialog; nothing is remembered then."""
        self.handle = handle
        self.phase = Phase.OFFERED
        self.dialog = Dialog(invite, tag, peer)
        self._ground = ground
        self._on_end = on_end
        self._invite = invite
        self._contact = ground.contact(peer)
        self._responder = Responder(invite, peer, tag, ground.server)
        self._transaction = ground.layer.open_invite(invite, peer, tag)
        self._transaction.on_cancel = self._cancelled
        self._unanswered: Alarm | None = None
        self._awaited: Unacknowledged | None = None
        self._change: Change | None = None
        self._reason: str | None = None

    def offered(self, now: float) -> list[Effect]:
        """100, and the gateway is asked; should it never answer, the caller does not wait for ever."""
        offer = body.description(self._invite)
        timestamp = self._invite.header("timestamp")
        trying = self._responder.write(100, f"Timestamp: {timestamp}\r\n" if timestamp else "")
        self._unanswered = self._ground.layer.timers.at(
            now + self._ground.answer_seconds, lambda now: self.refuse(480, now)
        )
        return [
            *self._transaction.respond(100, trying, now),
            Offered(self.handle, self._invite, offer, self.dialog.peer),
        ]

    def ring(self) -> list[Effect]:
        """180, while nothing final is said."""
        if self.phase is not Phase.OFFERED:
            return []
        # a provisional response arms no timer
        return self._transaction.respond(180, self._responder.write(180, self._contact_line, in_dialog=True), 0.0)

    def accept(self, description: bytes, now: float) -> list[Effect]:
        """200 with our SDP, resent until the ACK."""
        if self.phase is not Phase.OFFERED:
            return []
        self.phase = Phase.ACCEPTED
        self._stop_waiting()
        late = not self._invite.body
        return self._succeed(self._invite, self._responder, self._transaction, description, now, late=late)

    def refuse(self, status: int, now: float, headers: str = "", reason: str | None = None) -> list[Effect]:
        """A final response other than 2xx; `headers` are whole lines."""
        if self.phase is not Phase.OFFERED:
            return []
        data = self._responder.write(status, headers, reason=reason)
        return self._transaction.respond(status, data, now) + self._end(EndedBy.SERVICE, now, status)

    def hang_up(self, now: float, reason: str | None) -> list[Effect]:
        """BYE as soon as it is allowed; `reason` is the value of its Reason header."""
        match self.phase:
            case Phase.OFFERED:
                return self.refuse(480, now)
            case Phase.ACCEPTED:
                # a BYE must not overtake the ACK (RFC 3261 15): it is sent when that comes, or can come no more
                self.phase = Phase.CLOSING
                self._reason = reason
                return []
            case Phase.ESTABLISHED:
                self.phase = Phase.CLOSING
                self._reason = reason
                return self._settle(now) + self._bye(now)
            case _:
                return []

    def disconnect(self, now: float) -> list[Effect]:
        """The connection is gone: a call not yet answered can never be."""
        if self.phase is not Phase.OFFERED:
            return []
        self._transaction.abandon()
        return self._end(EndedBy.TRANSPORT, now)

    def acknowledge(self, request: Request, peer: Peer, now: float) -> list[Effect]:
        """The ACK to a 2xx of ours, with the answer where ours was the offer."""
        awaited = self._awaited
        if awaited is None or request.cseq.number != awaited.number:
            return []
        self._awaited = None
        self.dialog.peer = peer
        awaited.transaction.acknowledge(now)
        answer = _description_or_none(request) if awaited.late else None
        match self.phase:
            case Phase.ACCEPTED:
                self.phase = Phase.ESTABLISHED
                return [Established(self.handle, answer)]
            case Phase.CLOSING:
                return self._bye(now)
            case Phase.ESTABLISHED if awaited.late:
                return [ChangeAnswered(self.handle, answer)]
            case _:
                return []

    def receive(self, request: Request, peer: Peer, now: float) -> list[Effect]:
        """A request within the dialog, other than ACK and CANCEL, seen for the first time."""
        layer = self._ground.layer
        transaction: InviteServer | NonInviteServer
        if request.method == "INVITE":
            transaction = layer.open_invite(request, peer, self.dialog.local_tag)
            transaction.on_cancel = self._change_cancelled
        else:
            transaction = layer.open_other(request, peer)
        responder = Responder(request, peer, self.dialog.local_tag, self._ground.server)
        if not self.dialog.admits(request):
            return transaction.respond(500, responder.write(500, reason="CSeq Too Low"), now)
        self.dialog.peer = peer
        match request.method:
            case "BYE":
                return transaction.respond(200, responder.write(200), now) + self._caller_hung_up(request, now)
            case _ if self.phase is Phase.CLOSING:
                return transaction.respond(481, responder.write(481), now)
            case "INFO":
                return self._info(request, responder, transaction, now)
            case "INVITE" | "UPDATE":
                return self._change_requested(request, responder, transaction, now)
            case _:
                headers = ALLOW + ACCEPT + SUPPORTED
                return transaction.respond(200, responder.write(200, headers), now)

    def accept_change(self, description: bytes | None, now: float) -> list[Effect]:
        """200 to the waiting re-INVITE or UPDATE; its Contact becomes the remote target."""
        change, self._change = self._change, None
        if change is None:
            return []
        self.dialog.remote_target = change.target or self.dialog.remote_target
        if isinstance(change.transaction, InviteServer):
            return self._succeed(
                change.request, change.responder, change.transaction, description or b"", now, late=change.late
            )
        headers = self._contact_line + (_SDP_TYPE if description else "")
        return change.transaction.respond(200, change.responder.write(200, headers, description or b""), now)

    def refuse_change(self, status: int, now: float) -> list[Effect]:
        """A final response other than 2xx to it; the session stays as it was."""
        change, self._change = self._change, None
        if change is None:
            return []
        return change.transaction.respond(status, change.responder.write(status), now)

    @property
    def _contact_line(self) -> str:
        return f"Contact: <{self._contact}>\r\n"

    def _succeed(
        self,
        request: Request,
        responder: Responder,
        transaction: InviteServer,
        description: bytes,
        now: float,
        *,
        late: bool,
    ) -> list[Effect]:
        self._awaited = Unacknowledged(request.cseq.number, transaction, late)
        transaction.on_no_ack = self._no_ack
        transaction.on_ack = self.acknowledge
        headers = self._contact_line + _INVITE_HEADERS + (_SDP_TYPE if description else "")
        return transaction.respond(200, responder.write(200, headers, description, in_dialog=True), now)

    def _change_requested(
        self, request: Request, responder: Responder, transaction: InviteServer | NonInviteServer, now: float
    ) -> list[Effect]:
        refusal = self._change_refusal(request)
        if refusal is not None:
            data = responder.write(refusal.status, refusal.headers, reason=refusal.reason)
            return transaction.respond(refusal.status, data, now)
        offer, target = body.description(request), target_of(request)
        if request.method == "UPDATE" and offer is None:
            # a target or session refresh: nothing for the gateway to decide (RFC 3311 5.2)
            self.dialog.remote_target = target or self.dialog.remote_target
            return transaction.respond(200, responder.write(200, self._contact_line), now)
        self._change = Change(request, responder, transaction, target, late=offer is None)
        effects = self._imply_ack(now)
        if request.method == "INVITE":
            effects += transaction.respond(100, responder.write(100), now)
        return [*effects, ChangeOffered(self.handle, offer)]

    def _change_refusal(self, request: Request) -> Refusal | None:
        refusal = unanswerable(request)
        if refusal is not None:
            return refusal
        try:
            target_of(request)
        except BadHeader as fault:
            return Refusal(400, str(fault))
        early = self.phase is Phase.OFFERED and (request.method == "INVITE" or bool(request.body))
        if early or self._change is not None:
            # an offer of theirs is still unanswered (RFC 3261 14.2, RFC 3311 5.2); any number from 0 to 10 will do
            return Refusal(500, headers=f"Retry-After: {request.cseq.number % 11}\r\n")
        if self._awaited is not None and self._awaited.late:
            # an offer of ours is still unanswered
            return Refusal(491)
        return None

    def _imply_ack(self, now: float) -> list[Effect]:
        """Who sends a re-INVITE has our 200, though its ACK may be lost."""
        awaited, self._awaited = self._awaited, None
        if awaited is None:
            return []
        awaited.transaction.acknowledge(now)
        if self.phase is not Phase.ACCEPTED:
            return []
        self.phase = Phase.ESTABLISHED
        return [Established(self.handle, None)]

    def _info(
        self, request: Request, responder: Responder, transaction: InviteServer | NonInviteServer, now: float
    ) -> list[Effect]:
        if "info-package" in request.fields:
            # no package is taken, the usages that came before packages are (RFC 6086 4.2.2)
            return transaction.respond(469, responder.write(469, "Recv-Info: \r\n"), now)
        try:
            signalled = body.key_signalled(request)
        except body.UnsupportedBody:
            return transaction.respond(415, responder.write(415, ACCEPT), now)
        except BadHeader as fault:
            return transaction.respond(400, responder.write(400, reason=str(fault)), now)
        effects = transaction.respond(200, responder.write(200), now)
        if signalled is not None and self.phase is not Phase.OFFERED:
            effects.append(DigitSignalled(self.handle, *signalled))
        return effects

    def _caller_hung_up(self, request: Request, now: float) -> list[Effect]:
        reason = request.header("reason")
        match self.phase:
            case Phase.OFFERED:
                data = self._responder.write(487)
                return self._transaction.respond(487, data, now) + self._end(EndedBy.CALLER, now, 487, reason)
            case Phase.CLOSING:
                return self._end(EndedBy.SERVICE, now, None, reason)
            case _:
                return self._end(EndedBy.CALLER, now, None, reason)

    def _cancelled(self, reason: str | None, now: float) -> list[Effect]:
        data = self._responder.write(487)
        return self._transaction.respond(487, data, now) + self._end(EndedBy.CANCELLED, now, 487, reason)

    def _change_cancelled(self, reason: str | None, now: float) -> list[Effect]:  # noqa: ARG002  why is all the same
        return self.refuse_change(487, now)

    def _no_ack(self, now: float) -> list[Effect]:
        """The 2xx was never acknowledged: the session is taken down (RFC 3261 13.3.1.4)."""
        self._awaited = None
        if self.phase is Phase.CLOSING:
            return self._bye(now)
        self._reason = 'SIP;cause=408;text="No ACK"'
        return self._bye(now) + self._end(EndedBy.NO_ACK, now)

    def _bye(self, now: float) -> list[Effect]:
        branch = MAGIC_COOKIE + self._ground.new_tag()
        headers = self._ground.user_agent
        if self._reason:
            headers += lines([("Reason", self._reason)])
        data = self.dialog.request("BYE", contact=self._contact, branch=branch, headers=headers)
        return self._ground.layer.send("BYE", branch, data, self.dialog.peer, now=now, on_final=self._bye_answered)

    def _bye_answered(self, status: int, now: float) -> list[Effect]:
        return self._end(EndedBy.SERVICE, now, status) if self.phase is Phase.CLOSING else []

    def _settle(self, now: float) -> list[Effect]:
        """Answer what still waits (RFC 3261 15.1.2) and stop resending what will not be acknowledged any more."""
        if self._awaited is not None:
            self._awaited.transaction.acknowledge(now)
            self._awaited = None
        return self.refuse_change(487, now)

    def _stop_waiting(self) -> None:
        if self._unanswered is not None:
            self._unanswered.cancel()

    def _end(self, by: EndedBy, now: float, status: int | None = None, reason: str | None = None) -> list[Effect]:
        self.phase = Phase.ENDED
        self._stop_waiting()
        effects = self._settle(now)
        self._on_end(self)
        return [*effects, Ended(self.handle, by, status, reason)]


def _description_or_none(request: Request) -> bytes | None:
    try:
        return body.description(request)
    except BadHeader:
        return None
