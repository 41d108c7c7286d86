"""The user agent server: bytes, peers and time in, effects and deadlines out (RFC 3261 section 8.2 and 13 to 15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    answer_seconds: float = 60.0  # an offered call the gateway never answers is refused 480


class UserAgentServer:
    """All calls and transactions of one node."""

    draining: bool

    def __init__(
        self, *, new_tag: Callable[[], str], server_name: str, contact: Callable[[Peer], str], limits: Limits = Limits()
    ) -> None:
        """`new_tag` gives unguessable tokens; `contact` the URI (no brackets) we are reached at, as seen by a peer."""
        raise NotImplementedError

    @property
    def calls(self) -> int:
        """How many dialogs live, ringing ones included."""
        raise NotImplementedError

    @property
    def next_deadline(self) -> float | None:
        """When `expire` is to be called next, in the same seconds as `now`."""
        raise NotImplementedError

    def receive(self, data: bytes, peer: Peer, now: float) -> list[Effect]:
        """Take one datagram or one framed stream message. Never raises, whatever the bytes."""
        raise NotImplementedError

    def expire(self, now: float) -> list[Effect]:
        """Fire every timer that is due."""
        raise NotImplementedError

    def ring(self, call: str) -> list[Effect]:
        """180 Ringing."""
        raise NotImplementedError

    def accept(self, call: str, body: bytes, now: float) -> list[Effect]:
        """200 with our SDP (answer, or our offer where theirs is late); resent until the ACK."""
        raise NotImplementedError

    def refuse(
        self, call: str, status: int, now: float, headers: Sequence[tuple[str, str]] = (), reason: str | None = None
    ) -> list[Effect]:
        """A final 3xx to 6xx to a call not yet accepted; `reason` replaces the usual reason phrase. Gives Ended."""
        raise NotImplementedError

    def hang_up(self, call: str, now: float, reason: str | None = None) -> list[Effect]:
        """BYE; `reason` is the value of a Reason header, e.g. `Q.850;cause=16`. Ended follows with the answer to it."""
        raise NotImplementedError

    def accept_change(self, call: str, body: bytes | None, now: float) -> list[Effect]:
        """200 to the waiting re-INVITE or UPDATE, with our SDP."""
        raise NotImplementedError

    def refuse_change(self, call: str, status: int, now: float) -> list[Effect]:
        """Refuse the waiting re-INVITE or UPDATE (488 ...); the session stays as it was."""
        raise NotImplementedError

    def disconnected(self, connection: int, now: float) -> list[Effect]:
        """A TCP connection is gone: calls not yet answered end (transport); BYEs under way over it end as 503."""
        raise NotImplementedError
