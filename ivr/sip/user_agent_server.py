"""The user agent server: bytes, peers and time in, effects and deadlines out (RFC 3261 section 8.2 and 13 to 15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ivr.sip.call import Call, Ground
from ivr.sip.dialog import own_address
from ivr.sip.effects import (
    ChangeAnswered,
    ChangeOffered,
    DigitSignalled,
    Disconnect,
    Effect,
    Ended,
    EndedBy,
    Established,
    Offered,
    Peer,
    Recorded,
    Transmit,
)
from ivr.sip.errors import BadHeader, MalformedMessage
from ivr.sip.message import Request, Response, parse
from ivr.sip.refusal import Refusal, malformed, unanswerable, unsupported
from ivr.sip.response import ACCEPT, ALLOW, SUPPORTED, Responder, lines, stateless_tag
from ivr.sip.transaction import State
from ivr.sip.transaction_layer import TransactionLayer

__all__ = [
    "ChangeAnswered", "ChangeOffered", "DigitSignalled", "Disconnect", "Effect", "Ended", "EndedBy", "Established",
    "Limits", "Offered", "Peer", "Recorded", "Transmit", "UserAgentServer",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What a node takes at most: `max_calls` live dialogs, `max_transactions` remembered (32 s each)."""

    max_calls: int = 1000
    max_transactions: int = 50_000
    retry_after_seconds: int = 10
    answer_seconds: float = 60.0
    """an offered call that the gateway leaves without a word is refused 480"""


class UserAgentServer:
    """All calls and transactions of one node. `draining` refuses new calls with 503 and lets running ones finish."""

    def __init__(
        self,
        *,
        new_tag: Callable[[], str],
        server_name: str,
        contact: Callable[[Peer], str],
        limits: Limits = Limits(),
    ) -> None:
        """`new_tag` gives unguessable tokens; `contact` the URI, without brackets, we are reached at by a peer."""
        self.draining = False
        self._limits = limits
        self._layer = TransactionLayer(limits.max_transactions)
        self._server = lines([("Server", server_name)])
        self._ground = Ground(
            layer=self._layer,
            new_tag=new_tag,
            contact=contact,
            server=self._server,
            user_agent=lines([("User-Agent", server_name)]),
            answer_seconds=limits.answer_seconds,
        )
        self._serial = 0
        self._calls: dict[str, Call] = {}
        self._dialogs: dict[tuple[str, str], Call] = {}

    @property
    def calls(self) -> int:
        """How many dialogs live, ringing ones included."""
        return len(self._calls)

    @property
    def transactions(self) -> int:
        """How many transactions are remembered."""
        return len(self._layer)

    @property
    def next_deadline(self) -> float | None:
        """When `expire` is to be called next, in the same seconds as `now`; None: no timer runs."""
        return self._layer.timers.next_deadline

    def expire(self, now: float) -> list[Effect]:
        """Fire every timer that is due."""
        return self._layer.timers.expire(now)

    def receive(self, data: bytes, peer: Peer, now: float) -> list[Effect]:
        """Take one datagram or one framed stream message. Never raises, whatever the bytes."""
        if not data.strip(b"\r\n\0 "):
            return []  # a keep-alive (RFC 5626 3.5.1 and what devices make of it)
        try:
            message = parse(data)
        except MalformedMessage as fault:
            return self._malformed(fault, peer)
        try:
            if isinstance(message, Response):
                return self._response(message, peer, now)
            return self._request(message, peer, now)
        except BadHeader as fault:
            if isinstance(message, Response):
                return [Recorded("malformed", peer, f"response: {fault}")]
            return self._answer(message, peer, Refusal(400, str(fault)))

    def ring(self, call: str) -> list[Effect]:
        """180 Ringing."""
        leg = self._calls.get(call)
        return leg.ring() if leg else []

    def accept(self, call: str, body: bytes, now: float) -> list[Effect]:
        """200 with our SDP (our answer, or our offer where theirs is late); resent until the ACK."""
        leg = self._calls.get(call)
        return leg.accept(body, now) if leg else []

    def refuse(
        self, call: str, status: int, now: float, headers: Sequence[tuple[str, str]] = (), reason: str | None = None
    ) -> list[Effect]:
        """A final 3xx to 6xx to a call not yet accepted, then Ended; `reason` replaces the usual reason phrase."""
        leg = self._calls.get(call)
        return leg.refuse(status, now, lines(headers), reason) if leg else []

    def hang_up(self, call: str, now: float, reason: str | None = None) -> list[Effect]:
        """BYE; `reason` is the value of a Reason header, e.g. `Q.850;cause=16`. Ended follows with the answer to it.

        Before the ACK the BYE waits for it; a call not yet accepted is refused 480.
        """
        leg = self._calls.get(call)
        return leg.hang_up(now, reason) if leg else []

    def accept_change(self, call: str, body: bytes | None, now: float) -> list[Effect]:
        """200 to the waiting re-INVITE or UPDATE, with our SDP."""
        leg = self._calls.get(call)
        return leg.accept_change(body, now) if leg else []

    def refuse_change(self, call: str, status: int, now: float) -> list[Effect]:
        """Refuse the waiting re-INVITE or UPDATE (488 …); the session stays as it was."""
        leg = self._calls.get(call)
        return leg.refuse_change(status, now) if leg else []

    def disconnected(self, connection: int, now: float) -> list[Effect]:
        """A TCP connection is gone: calls not yet answered end (transport), BYEs under way over it end as 503."""
        effects = self._layer.disconnect(connection, now)
        for leg in [leg for leg in self._calls.values() if leg.dialog.peer.connection == connection]:
            effects += leg.disconnect(now)
        return effects

    def _malformed(self, fault: MalformedMessage, peer: Peer) -> list[Effect]:
        request = fault.salvage
        if request is None:
            effects: list[Effect] = [Recorded("malformed", peer, fault.reason)]
        else:
            status = 505 if request.version != "SIP/2.0" else fault.status
            effects = self._answer(request, peer, Refusal(status, fault.reason if status == 400 else None))
        if fault.breaks_stream and peer.transport == "tcp":
            effects.append(Disconnect(peer))
        return effects

    def _response(self, response: Response, peer: Peer, now: float) -> list[Effect]:
        effects = self._layer.receive(response, now)
        return [Recorded("stray", peer, "response")] if effects is None else effects

    def _request(self, request: Request, peer: Peer, now: float) -> list[Effect]:
        refusal = malformed(request, over_stream=peer.transport == "tcp")
        if refusal is not None:
            return self._answer(request, peer, refusal)
        if request.method == "ACK":
            return self._ack(request, peer, now)
        transaction = self._layer.find(request, request.method)
        if transaction is not None:
            return transaction.copy()
        if request.method == "CANCEL":
            return self._cancel(request, peer, now)
        refusal = unsupported(request)
        if refusal is not None:
            return self._refuse(request, peer, refusal, now)
        if request.to.tag is not None or request.method not in {"INVITE", "OPTIONS"}:
            return self._within_dialog(request, peer, now)
        if request.method == "OPTIONS":
            return self._options(request, peer)
        return self._invite(request, peer, now)

    def _ack(self, request: Request, peer: Peer, now: float) -> list[Effect]:
        transaction = self._layer.find_invite(request)
        if transaction is not None:
            if transaction.on_ack is not None:
                return transaction.on_ack(request, peer, now)
            return [] if transaction.state is State.ACCEPTED else transaction.acknowledge(now)
        leg = self._dialog_of(request)
        return leg.acknowledge(request, peer, now) if leg else [Recorded("stray", peer, "ACK")]

    def _cancel(self, request: Request, peer: Peer, now: float) -> list[Effect]:
        """RFC 3261 9.2. The CANCEL itself is not remembered: a copy of it gets the same 200."""
        transaction = self._layer.find_invite(request)
        if transaction is None:
            return self._answer(request, peer, Refusal(481))
        answer = Responder(request, peer, transaction.tag, self._server).write(200)
        return [Transmit(answer, peer), *transaction.cancel(request.header("reason"), now)]

    def _within_dialog(self, request: Request, peer: Peer, now: float) -> list[Effect]:
        leg = self._dialog_of(request)
        if leg is None:
            # a Request-URI of another host is judged before the dialog is looked for (RFC 3261 8.2.2.1)
            status = 481 if self._is_here(request, peer) else 404
            return self._refuse(request, peer, Refusal(status), now)
        if request.method == "INVITE" and self._layer.full:
            return self._answer(request, peer, self._overloaded())
        return leg.receive(request, peer, now)

    def _options(self, request: Request, peer: Peer) -> list[Effect]:
        if self.draining:
            return self._answer(request, peer, self._overloaded())
        data = Responder(request, peer, stateless_tag(request), self._server).write(200, ALLOW + ACCEPT + SUPPORTED)
        return [Transmit(data, peer)]

    def _invite(self, request: Request, peer: Peer, now: float) -> list[Effect]:
        refusal = Refusal(482) if self._layer.is_merged(request) else unanswerable(request)
        if refusal is None and (self.draining or self.calls >= self._limits.max_calls):
            refusal = self._overloaded()
        if refusal is not None:
            return self._refuse(request, peer, refusal, now)
        if self._layer.full:
            return self._answer(request, peer, self._overloaded())
        self._serial += 1
        tag = self._ground.new_tag()
        leg = Call(f"{self._serial}", request, tag, peer, ground=self._ground, on_end=self._forget)
        self._calls[leg.handle] = leg
        self._dialogs[leg.dialog.call_id, leg.dialog.local_tag] = leg
        return leg.offered(now)

    def _forget(self, leg: Call) -> None:
        del self._calls[leg.handle]
        del self._dialogs[leg.dialog.call_id, leg.dialog.local_tag]

    def _dialog_of(self, request: Request) -> Call | None:
        leg = self._dialogs.get((request.call_id, request.to.tag or ""))
        return leg if leg is not None and leg.dialog.owns(request) else None

    def _is_here(self, request: Request, peer: Peer) -> bool:
        return request.uri.host in {"", peer.local_host, own_address(self._ground.contact(peer))[0]}

    def _overloaded(self) -> Refusal:
        return Refusal(503, headers=f"Retry-After: {self._limits.retry_after_seconds}\r\n")

    def _refuse(self, request: Request, peer: Peer, refusal: Refusal, now: float) -> list[Effect]:
        """Refuse for good: an INVITE's refusal is resent until its ACK comes, others need no memory."""
        if request.method != "INVITE" or self._layer.full:
            return self._answer(request, peer, refusal)
        tag = self._ground.new_tag()
        data = self._write(request, peer, tag, refusal)
        transaction = self._layer.open_invite(request, peer, tag)
        return [*transaction.respond(refusal.status, data, now), _refused(request, peer, refusal)]

    def _answer(self, request: Request, peer: Peer, refusal: Refusal) -> list[Effect]:
        """Refuse without remembering it (RFC 3261 8.2.7). An ACK is never answered, nor what no Via sends back."""
        if request.method == "ACK" or "via" not in request.fields:
            return [_refused(request, peer, refusal)]
        data = self._write(request, peer, stateless_tag(request), refusal)
        return [Transmit(data, peer), _refused(request, peer, refusal)]

    def _write(self, request: Request, peer: Peer, tag: str, refusal: Refusal) -> bytes:
        responder = Responder(request, peer, tag, self._server)
        return responder.write(refusal.status, refusal.headers, reason=refusal.reason)


def _refused(request: Request, peer: Peer, refusal: Refusal) -> Recorded:
    return Recorded("refused", peer, f"{refusal.status} {request.method[:20]!a} {refusal.reason or ''}".rstrip())
