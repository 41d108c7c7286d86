"""What the user agent server asks of its gateway: values only, done in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ivr.sip.message import Request

Transport = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a message came from and what it arrived at; hosts are numeric, IPv6 without brackets.

    `connection` names the stream for TCP (the gateway's own number), None for UDP.
    """

    transport: Transport
    host: str
    port: int
    local_host: str
    local_port: int
    connection: int | None = None


class EndedBy(StrEnum):
    """Who or what took a call down."""

    CALLER = "caller"
    SERVICE = "service"
    CANCELLED = "cancelled"
    NO_ACK = "no_ack"
    TRANSPORT = "transport"


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send these bytes to that peer: one datagram, or on that very connection."""

    data: bytes
    peer: Peer


@dataclass(frozen=True, slots=True)
class Offered:
    """A new call: 100 is on its way, the gateway rings, accepts or refuses. `offer` None: a late offer is due."""

    call: str
    invite: Request
    offer: bytes | None
    peer: Peer


@dataclass(frozen=True, slots=True)
class Established:
    """The ACK arrived; `answer` is the caller's SDP when ours was the offer, else None."""

    call: str
    answer: bytes | None


@dataclass(frozen=True, slots=True)
class ChangeOffered:
    """A re-INVITE or UPDATE waits for accept_change or refuse_change. `offer` None: our offer goes into the 200."""

    call: str
    offer: bytes | None


@dataclass(frozen=True, slots=True)
class ChangeAnswered:
    """The ACK of a re-INVITE without offer brought the answer to the one in our 200 (None: it brought none)."""

    call: str
    answer: bytes | None


@dataclass(frozen=True, slots=True)
class DigitSignalled:
    """A key by INFO, already answered 200; `milliseconds` None where the body names no duration."""

    call: str
    key: str
    milliseconds: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, told exactly once for every Offered.

    `status` is the response that ended it (a refusal, 487, the answer to our BYE, 408 when none came),
    `reason` the value of a Reason header (RFC 3326) the caller sent.
    """

    call: str
    by: EndedBy
    status: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection once what precedes this has been written: its stream cannot be trusted any more."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class Recorded:
    """Something for the log and the metrics: `kind` is a label of few values, `detail` holds no number of a caller."""

    kind: str
    peer: Peer
    detail: str


Effect = (
    Transmit | Offered | Established | ChangeOffered | ChangeAnswered | DigitSignalled | Ended | Disconnect | Recorded
)
