"""The transactions of a user agent server: INVITE and non-INVITE as server, non-INVITE as client (our BYE).

The state tables are those of RFC 3261 17 with the Accepted state of RFC 6026. What the tables do not name
changes nothing. Intervals and retransmissions follow from the transport: only the 2xx to an INVITE is resent
over TCP too, because it travels end to end (RFC 3261 13.3.1.4).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from ivr.sip.effects import Effect, Peer, Transmit
from ivr.sip.message import Request
from ivr.sip.timers import LIFETIME, T1, T2, T4, Alarm, Fire, Timers


class State(Enum):
    """Names of RFC 3261 figures 6 to 8 and RFC 6026 figure 5."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Event(Enum):
    """What moves a transaction; `END` is timer H, I, J, K or L, whichever the state has running."""

    COPY = auto()
    PROVISIONAL = auto()
    SUCCESS = auto()
    FAILURE = auto()
    ACK = auto()
    LOST = auto()
    """the connection it came over is gone before it was answered"""
    END = auto()


INVITE_SERVER = {
    (State.PROCEEDING, Event.COPY): State.PROCEEDING,
    (State.PROCEEDING, Event.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Event.SUCCESS): State.ACCEPTED,
    (State.PROCEEDING, Event.FAILURE): State.COMPLETED,
    (State.PROCEEDING, Event.LOST): State.TERMINATED,
    (State.COMPLETED, Event.COPY): State.COMPLETED,
    (State.COMPLETED, Event.ACK): State.CONFIRMED,
    (State.COMPLETED, Event.END): State.TERMINATED,
    (State.CONFIRMED, Event.END): State.TERMINATED,
    (State.ACCEPTED, Event.COPY): State.ACCEPTED,
    (State.ACCEPTED, Event.ACK): State.ACCEPTED,
    (State.ACCEPTED, Event.END): State.TERMINATED,
}
NON_INVITE_SERVER = {
    (State.TRYING, Event.SUCCESS): State.COMPLETED,
    (State.TRYING, Event.FAILURE): State.COMPLETED,
    (State.COMPLETED, Event.COPY): State.COMPLETED,
    (State.COMPLETED, Event.END): State.TERMINATED,
}
NON_INVITE_CLIENT = {
    (State.TRYING, Event.PROVISIONAL): State.PROCEEDING,
    (State.TRYING, Event.SUCCESS): State.TERMINATED,
    (State.TRYING, Event.FAILURE): State.TERMINATED,
    (State.TRYING, Event.END): State.TERMINATED,
    (State.PROCEEDING, Event.PROVISIONAL): State.PROCEEDING,
    (State.PROCEEDING, Event.SUCCESS): State.TERMINATED,
    (State.PROCEEDING, Event.FAILURE): State.TERMINATED,
    (State.PROCEEDING, Event.END): State.TERMINATED,
}


def event_of(status: int) -> Event:
    """What a response of this status is to a transaction."""
    if status < 200:
        return Event.PROVISIONAL
    return Event.SUCCESS if status < 300 else Event.FAILURE


class InviteServer:
    """One INVITE received, answered with To tag `tag`; `acknowledged` tells whether the ACK came.

    `on_end` hears once that the transaction is over, `on_no_ack` after it where a 2xx stayed unacknowledged,
    `on_cancel(reason, now)` that the caller gave up before a final response. `on_ack(request, peer, now)` takes the
    ACK to a 2xx where it comes on the INVITE's own branch, as RFC 2543 callers and pyVoIP send it.
    """

    __slots__ = (
        "_end", "_interval", "_resend", "_response", "_timers", "acknowledged", "on_ack", "on_cancel", "on_end",
        "on_no_ack", "peer", "state", "tag",
    )  # fmt: skip

    def __init__(self, timers: Timers, peer: Peer, tag: str, on_end: Callable[[], None]) -> None:
        self.state = State.PROCEEDING
        self.peer = peer
        self.tag = tag
        self.acknowledged = False
        self.on_end = on_end
        self.on_no_ack: Fire | None = None
        self.on_ack: Callable[[Request, Peer, float], list[Effect]] | None = None
        self.on_cancel: Callable[[str | None, float], list[Effect]] | None = None
        self._timers = timers
        self._response = b""
        self._interval = T1
        self._resend: Alarm | None = None
        self._end: Alarm | None = None

    def _moves(self, event: Event) -> bool:
        state = INVITE_SERVER.get((self.state, event))
        if state is None:
            return False
        self.state = state
        return True

    def copy(self) -> list[Effect]:
        """A retransmitted INVITE gets the last response again, the stored 2xx included."""
        if not self._response or not self._moves(Event.COPY):
            return []
        return [Transmit(self._response, self.peer)]

    def respond(self, status: int, data: bytes, now: float) -> list[Effect]:
        """Send a response and arm its retransmission; nothing after a final one."""
        if not self._moves(event_of(status)):
            return []
        self._response = data
        if status >= 200:
            self.on_cancel = None
            self._end = self._timers.at(now + LIFETIME, self._over)
            if self.state is State.ACCEPTED or self.peer.transport == "udp":
                self._resend = self._timers.at(now + T1, self._again)
        return [Transmit(data, self.peer)]

    def acknowledge(self, now: float) -> list[Effect]:
        """The ACK: stops retransmission; a refused INVITE is remembered T4 longer, for copies of the ACK."""
        if not self._moves(Event.ACK):
            return []
        self.acknowledged = True
        self.on_ack = self.on_no_ack = None  # lets go of the call, which may be over long before this is
        if self._resend is not None:
            self._resend.cancel()
        if self.state is State.CONFIRMED:
            assert self._end is not None
            self._end.cancel()
            if self.peer.transport != "udp":
                return self._over(now)
            self._end = self._timers.at(now + T4, self._over)
        return []

    def cancel(self, reason: str | None, now: float) -> list[Effect]:
        """A CANCEL; after a final response it comes too late and means nothing (RFC 3261 9.2)."""
        if self.state is not State.PROCEEDING or self.on_cancel is None:
            return []
        return self.on_cancel(reason, now)

    def abandon(self) -> None:
        """The connection is gone, no response can reach the caller any more (RFC 3261 17.2.4)."""
        if self._moves(Event.LOST):
            self.on_end()

    def _again(self, now: float) -> list[Effect]:
        self._interval = min(2 * self._interval, T2)
        self._resend = self._timers.at(now + self._interval, self._again)
        return [Transmit(self._response, self.peer)]

    def _over(self, now: float) -> list[Effect]:
        no_ack = self.state is State.ACCEPTED and not self.acknowledged
        if not self._moves(Event.END):
            return []
        if self._resend is not None:
            self._resend.cancel()
        self.on_end()
        return self.on_no_ack(now) if no_ack and self.on_no_ack else []


class NonInviteServer:
    """One request other than INVITE received within a dialog; copies get the stored response.

    It is kept for timer J over UDP. TCP makes no copies, so there timer J is zero (RFC 3261 17.2.2), and so it is
    where `remembered` is False for want of room.
    """

    __slots__ = ("_keep", "_response", "_timers", "on_end", "peer", "state")

    def __init__(self, timers: Timers, peer: Peer, on_end: Callable[[], None], *, remembered: bool) -> None:
        self.state = State.TRYING
        self.peer = peer
        self.on_end = on_end
        self._keep = remembered and peer.transport == "udp"
        self._timers = timers
        self._response = b""

    def copy(self) -> list[Effect]:
        """A retransmission gets the response again, or nothing while there is none."""
        if (self.state, Event.COPY) not in NON_INVITE_SERVER:
            return []
        return [Transmit(self._response, self.peer)]

    def respond(self, status: int, data: bytes, now: float) -> list[Effect]:
        """The final response, remembered for timer J."""
        state = NON_INVITE_SERVER.get((self.state, event_of(status)))
        if state is None:
            return []
        self.state = state
        self._response = data
        if self._keep:
            self._timers.at(now + LIFETIME, self._over)
        else:
            self._over(now)
        return [Transmit(data, self.peer)]

    def _over(self, now: float) -> list[Effect]:  # noqa: ARG002  a timer's signature
        self.state = NON_INVITE_SERVER[self.state, Event.END]
        self.on_end()
        return []


class NonInviteClient:
    """One request of ours on its way; a final response, 408 after timer F or 503 for a lost connection ends it.

    There is no Completed state: a later copy of the response matches nothing and is dropped all the same.
    """

    __slots__ = ("_again", "_data", "_end", "_interval", "_timers", "on_final", "peer", "state")

    def __init__(self, timers: Timers, data: bytes, peer: Peer, on_final: Callable[[int, float], list[Effect]]) -> None:
        self.state = State.TRYING
        self.peer = peer
        self.on_final = on_final
        self._timers = timers
        self._data = data
        self._interval = T1
        self._again: Alarm | None = None
        self._end: Alarm | None = None

    def start(self, now: float) -> list[Effect]:
        """Send the request and arm timers E and F."""
        self._end = self._timers.at(now + LIFETIME, lambda now: self.receive(408, now))
        if self.peer.transport == "udp":
            self._again = self._timers.at(now + T1, self._resend)
        return [Transmit(self._data, self.peer)]

    def receive(self, status: int, now: float) -> list[Effect]:
        """A response, or the status that stands for its absence."""
        state = NON_INVITE_CLIENT.get((self.state, event_of(status)))
        if state is None:
            return []
        self.state = state
        if state is not State.TERMINATED:
            return []
        for alarm in (self._again, self._end):
            if alarm is not None:
                alarm.cancel()
        return self.on_final(status, now)

    def _resend(self, now: float) -> list[Effect]:
        # once somebody said "trying", T2 is soon enough (RFC 3261 17.1.2.2)
        self._interval = T2 if self.state is State.PROCEEDING else min(2 * self._interval, T2)
        self._again = self._timers.at(now + self._interval, self._resend)
        return [Transmit(self._data, self.peer)]
