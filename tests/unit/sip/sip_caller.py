"""A caller's side for the tests: writes requests, feeds them to a UserAgentServer, reads what it sends back.

`Gateway` stands in for the real one: it accepts offers with a real SDP answer, or refuses 488.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ivr.sip import sdp
from ivr.sip.errors import MalformedDescription, NotAcceptable
from ivr.sip.message import Request, Response, parse
from ivr.sip.user_agent_server import Effect, Ended, Established, Limits, Offered, Peer, Transmit, UserAgentServer

UDP = Peer("udp", "192.0.2.10", 5070, "192.0.2.1", 5060)
TCP = Peer("tcp", "192.0.2.10", 40000, "192.0.2.1", 5060, 7)
OFFER = (
    b"v=0\r\no=pbx 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
)
URI = "sip:survey@192.0.2.1:5060"


def request(
    method: str,
    *,
    branch: str = "z9hG4bKone",
    cseq: int = 1,
    call_id: str = "a84b4c76e66710@192.0.2.10",
    from_tag: str | None = "caller",
    to_tag: str | None = None,
    uri: str = URI,
    body: bytes = b"",
    content_type: str = "application/sdp",
    headers: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    via: str | None = None,
    transport: str = "UDP",
) -> bytes:
    """A request as a PBX writes it; `headers` replace those of the same name or come in addition."""
    lines = [
        f"Via: {via or f'SIP/2.0/{transport} 192.0.2.10:5070;branch={branch};rport'}",
        f'From: "Zhang" <sip:02512345@192.0.2.10>{f";tag={from_tag}" if from_tag else ""}',
        f"To: <sip:survey@192.0.2.1>{f';tag={to_tag}' if to_tag else ''}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
        "Contact: <sip:02512345@192.0.2.10:5070>",
    ]
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines.append(f"Content-Length: {len(body)}")
    replaced = {header.partition(":")[0].lower() for header in headers} | {name.lower() for name in leave_out}
    kept = [line for line in lines if line.partition(":")[0].lower() not in replaced]
    return "\r\n".join([f"{method} {uri} SIP/2.0", *kept, *headers, "", ""]).encode() + body


def invite(**changes: object) -> bytes:
    """An INVITE with a good offer unless told otherwise."""
    return request("INVITE", **{"body": OFFER, **changes})


def sent(effects: Sequence[Effect]) -> list[Request | Response]:
    """Every message the effects put on the wire, parsed."""
    return [parse(effect.data) for effect in effects if isinstance(effect, Transmit)]


def statuses(effects: Sequence[Effect]) -> list[int]:
    """The status of every response on the wire."""
    return [message.status for message in sent(effects) if isinstance(message, Response)]


def only(effects: Sequence[Effect], kind: type) -> list:
    """The effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


class Scene:
    """A server, a clock that is set by hand and everything that happened."""

    def __init__(self, limits: Limits | None = None, peer: Peer = UDP) -> None:
        tags = itertools.count(1)
        self.server = UserAgentServer(
            new_tag=lambda: f"tag{next(tags)}",
            server_name="pingjia test",
            contact=lambda peer: "sip:pingjia@192.0.2.1:5060" + (";transport=tcp" if peer.transport == "tcp" else ""),
            limits=limits or Limits(),
        )
        self.peer = peer
        self.now = 1000.0
        self.seen: list[Effect] = []

    def take(self, effects: list[Effect]) -> list[Effect]:
        self.seen += effects
        return effects

    def receive(self, data: bytes, peer: Peer | None = None) -> list[Effect]:
        return self.take(self.server.receive(data, peer or self.peer, self.now))

    def pass_time(self, seconds: float) -> list[tuple[float, Effect]]:
        """Let time pass from deadline to deadline; what came of it, with how long after the start it came."""
        start, until, gathered = self.now, self.now + seconds, []
        while (deadline := self.server.next_deadline) is not None and deadline <= until:
            self.now = deadline
            effects = self.take(self.server.expire(deadline))
            gathered += [(round(deadline - start, 3), effect) for effect in effects]
        self.now = until
        return gathered

    def offered(self, data: bytes | None = None) -> str:
        """Put an INVITE in and give the call's handle."""
        (offered,) = only(self.receive(data or invite(transport=self.peer.transport.upper())), Offered)
        return offered.call

    def accepted(self, data: bytes | None = None) -> tuple[str, str]:
        """A call with a 200 on its way: its handle and our To tag."""
        call = self.offered(data)
        (answer,) = sent(self.take(self.server.accept(call, b"v=0\r\n", self.now)))
        assert answer.to.tag
        return call, answer.to.tag

    def established(self, data: bytes | None = None, **ack: object) -> tuple[str, str]:
        """A call whose ACK has come; `ack` says what of it is unusual."""
        call, tag = self.accepted(data)
        assert only(self.receive(self.within("ACK", tag, cseq=1, **ack)), Established)
        return call, tag

    def within(self, method: str, tag: str, *, cseq: int, **changes: object) -> bytes:
        """A request in the dialog."""
        changes.setdefault("branch", f"z9hG4bK{method}{cseq}")
        return request(method, to_tag=tag, cseq=cseq, transport=self.peer.transport.upper(), **changes)

    @property
    def ends(self) -> list[Ended]:
        return only(self.seen, Ended)


class Gateway:
    """Accepts what it can, refuses the rest 488 or 400; the tests' double of the real gateway's decisions."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def receive(self, data: bytes, peer: Peer | None = None) -> list[Effect]:
        """Everything that comes of a message, the gateway's own doing included."""
        pending, done = self.scene.receive(data, peer), []
        while pending:
            effect = pending.pop(0)
            done.append(effect)
            if isinstance(effect, Offered):
                pending += self.scene.take(self._decide(effect))
        return done

    def _decide(self, offered: Offered) -> list[Effect]:
        server, now = self.scene.server, self.scene.now
        ours = {"local_address": "192.0.2.1", "port": 20000, "session_id": 1, "session_version": 1}
        if offered.offer is None:
            return server.accept(offered.call, sdp.offer(**ours), now)
        try:
            answer, _ = sdp.answer(sdp.parse(offered.offer), **ours)
        except MalformedDescription as fault:
            return server.refuse(offered.call, 400, now, reason=str(fault))
        except NotAcceptable as fault:
            return server.refuse(offered.call, 488, now, [("Warning", f'399 pingjia "{fault}"')])
        return server.accept(offered.call, answer, now)
