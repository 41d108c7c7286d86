"""Offer and answer (RFC 3264) for one audio stream: PCMA or PCMU with telephone-events, 20 ms packets.

The answer keeps the offer's m-lines in their order and its payload numbers; whatever is not our one audio
stream is answered with port 0. Media goes to numeric unicast addresses only: no name is ever looked up for
a caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from ivr.sip.errors import MalformedDescription, NotAcceptable
from ivr.sip.session_description import Direction, Media, SessionDescription, parse

__all__ = [
    "Direction", "LocalSession", "MalformedDescription", "Negotiated", "NotAcceptable", "SessionDescription",
    "accept_answer", "answer", "offer", "parse",
]  # fmt: skip

Codec = Literal["PCMA", "PCMU"]

CODECS: tuple[Codec, ...] = ("PCMA", "PCMU")
_STATIC = {"0": "PCMU/8000", "8": "PCMA/8000"}
_OFFERED: dict[Codec, str] = {"PCMA": "8", "PCMU": "0"}
_EVENTS = "101"
# AVPF without feedback attributes is AVP on the wire (RFC 4585 3.1), so it is answered in kind; SAVP needs keys
_PROTOCOLS = {"RTP/AVP", "RTP/AVPF"}
_REVERSED = {
    Direction.BOTH: Direction.BOTH,
    Direction.INACTIVE: Direction.INACTIVE,
    Direction.SEND_ONLY: Direction.RECEIVE_ONLY,
    Direction.RECEIVE_ONLY: Direction.SEND_ONLY,
}


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both sides agreed on, seen from here.

    `remote_port` is 0 where there is nowhere to send (c=0.0.0.0, RFC 3264 8.4); `send`, `receive`: what we may do;
    `event_payload_type` None: the other side signals no telephone-events; `rtcp_port` None: nowhere to send RTCP.
    """

    remote_address: str
    remote_port: int
    codec: Codec
    payload_type: int
    event_payload_type: int | None
    send: bool
    receive: bool
    rtcp_port: int | None


def answer(
    offer: SessionDescription,
    *,
    local_address: str,
    port: int,
    session_id: int,
    session_version: int,
    codecs: Sequence[Codec] = CODECS,
) -> tuple[bytes, Negotiated]:
    """Our answer's bytes and what it settles; `codecs` in our order of preference.

    NotAcceptable, with a reason fit for a Warning, if no audio stream of the offer can be taken.
    """
    chosen, agreed = _choose(offer, local_address, codecs)
    direction = _direction(agreed)
    lines = _session_lines(local_address, session_id, session_version, offer.times or ["0 0"])
    for media in offer.media:
        if media is chosen:
            lines += _audio_lines(port, media.protocol, agreed, direction)
        else:
            lines.append(f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}")
    return _bytes(lines), agreed


def agreement(offer: SessionDescription, *, local_address: str, codecs: Sequence[Codec] = CODECS) -> Negotiated:
    """What `answer` will settle, before there is a port to write into it; NotAcceptable likewise."""
    return _choose(offer, local_address, codecs)[1]


def offer(
    *, local_address: str, port: int, session_id: int, session_version: int, codecs: Sequence[Codec] = CODECS
) -> bytes:
    """Our own offer, for an INVITE that came without one."""
    formats = [_OFFERED[codec] for codec in codecs]
    lines = _session_lines(local_address, session_id, session_version, ["0 0"])
    lines.append(f"m=audio {port} RTP/AVP {' '.join(formats)} {_EVENTS}")
    lines += [f"a=rtpmap:{_OFFERED[codec]} {codec}/8000" for codec in codecs]
    lines += _event_lines(_EVENTS)
    lines += ["a=ptime:20", "a=sendrecv"]
    return _bytes(lines)


def accept_answer(
    description: SessionDescription, *, local_address: str, codecs: Sequence[Codec] = CODECS
) -> Negotiated:
    """What the caller's answer to our `offer` settles; NotAcceptable if it refused the stream or changed its terms.

    The answerer's order of formats decides (RFC 3264 6.1).
    """
    if not description.media or description.media[0].kind != "audio":
        raise NotAcceptable("the answer has no audio stream")
    return _negotiate(description, description.media[0], local_address, codecs, theirs_first=True)


def _choose(offer: SessionDescription, local_address: str, codecs: Sequence[Codec]) -> tuple[Media, Negotiated]:
    reasons = []
    for media in offer.media:
        if media.kind != "audio":
            continue
        try:
            return media, _negotiate(offer, media, local_address, codecs)
        except NotAcceptable as reason:
            reasons.append(str(reason))
    raise NotAcceptable("; ".join(reasons) or "no audio stream is offered")


def _negotiate(
    description: SessionDescription,
    media: Media,
    local_address: str,
    codecs: Sequence[Codec],
    *,
    theirs_first: bool = False,
) -> Negotiated:
    if media.port == 0:
        raise NotAcceptable("the audio stream is switched off")
    if media.protocol not in _PROTOCOLS:
        raise NotAcceptable(f"{media.protocol[:40]} is not supported, RTP/AVP is")
    codec, payload_type = _common_codec(media, codecs, theirs_first=theirs_first)
    address, held = _remote_address(description, media, local_address)
    theirs = description.direction_of(media)
    remote_port = 0 if held else media.port
    return Negotiated(
        remote_address=address,
        remote_port=remote_port,
        codec=codec,
        payload_type=payload_type,
        event_payload_type=_event_payload_type(media),
        send=not held and theirs in {Direction.BOTH, Direction.RECEIVE_ONLY},
        receive=theirs in {Direction.BOTH, Direction.SEND_ONLY},
        rtcp_port=None if held else _rtcp_port(media, address),
    )


def _common_codec(media: Media, codecs: Sequence[Codec], *, theirs_first: bool) -> tuple[Codec, int]:
    offered: dict[str, int] = {}
    for number in media.formats:
        encoding = _encoding(media, number)
        if encoding is not None and _is_payload_type(number):
            offered.setdefault(encoding, int(number))
    names: dict[str, Codec] = {f"{codec}/8000": codec for codec in codecs}
    for encoding in offered if theirs_first else names:
        if encoding in offered and encoding in names:
            return names[encoding], offered[encoding]
    raise NotAcceptable(f"no common codec: {' and '.join(codecs)} are spoken here")


def _encoding(media: Media, number: str) -> str | None:
    encoding = media.encodings.get(number) or _STATIC.get(number)
    return encoding.removesuffix("/1") if encoding else None


def _is_payload_type(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) <= 3 and int(number) <= 127


def _event_payload_type(media: Media) -> int | None:
    for number in media.formats:
        if _is_payload_type(number) and _encoding(media, number) == "TELEPHONE-EVENT/8000":
            return int(number)
    return None


def _remote_address(description: SessionDescription, media: Media, local_address: str) -> tuple[str, bool]:
    """The address media goes to, and whether it is the unspecified one, which holds (RFC 3264 8.4)."""
    connection = description.connection_of(media)
    if connection is None:
        raise NotAcceptable("the audio stream has no address")
    try:
        address = ip_address(connection.address)
    except ValueError:
        raise NotAcceptable("the media address is not numeric") from None
    spoken = 6 if ":" in local_address else 4
    if address.version != connection.family or address.version != spoken:
        raise NotAcceptable(f"media is spoken over IPv{spoken} here")
    if address.is_multicast or connection.address == "255.255.255.255":
        raise NotAcceptable("the media address is not one of a single host")
    return str(address), address.is_unspecified


def _rtcp_port(media: Media, address: str) -> int | None:
    """RFC 3605, else the next port; RTCP for another address is not sent at all (only who signalled is sent to)."""
    if media.rtcp is None:
        return media.port + 1 if media.port < 65535 else None
    parts = media.rtcp.split()
    if not parts or not (parts[0].isascii() and parts[0].isdigit()) or len(parts[0]) > 5:
        return None
    if len(parts) > 1 and (len(parts) != 4 or parts[3] != address):
        return None
    return int(parts[0]) if 0 < int(parts[0]) <= 65535 else None


def _direction(agreed: Negotiated) -> Direction:
    match agreed.send, agreed.receive:
        case True, True:
            return Direction.BOTH
        case True, False:
            return Direction.SEND_ONLY
        case False, True:
            return Direction.RECEIVE_ONLY
        case _:
            return Direction.INACTIVE


def _session_lines(local_address: str, session_id: int, session_version: int, times: Sequence[str]) -> list[str]:
    family = "IP6" if ":" in local_address else "IP4"
    return [
        "v=0",
        f"o=- {session_id} {session_version} IN {family} {local_address}",
        "s=-",
        f"c=IN {family} {local_address}",
        *(f"t={time}" for time in times),
    ]


def _audio_lines(port: int, protocol: str, agreed: Negotiated, direction: Direction) -> list[str]:
    formats = [str(agreed.payload_type)]
    events = []
    if agreed.event_payload_type is not None:
        formats.append(str(agreed.event_payload_type))
        events = _event_lines(str(agreed.event_payload_type))
    return [
        f"m=audio {port} {protocol} {' '.join(formats)}",
        f"a=rtpmap:{agreed.payload_type} {agreed.codec}/8000",
        *events,
        "a=ptime:20",
        f"a={direction}",
    ]


def _event_lines(payload_type: str) -> list[str]:
    # 0-15 are the keys; flash (16) is never asked for, whatever was offered
    return [f"a=rtpmap:{payload_type} telephone-event/8000", f"a=fmtp:{payload_type} 0-15"]


def _bytes(lines: Sequence[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


class LocalSession:
    """Our side of one call's descriptions: the version grows only when what we say has changed (RFC 3264 8)."""

    __slots__ = ("_last", "_version", "address", "port", "session_id")

    def __init__(self, session_id: int, *, address: str, port: int) -> None:
        self.session_id = session_id
        self.address = address
        self.port = port
        self._version = 1
        self._last = b""

    def answer(self, offer: SessionDescription) -> tuple[bytes, Negotiated]:
        """As the function `answer`, with this session's address, port and version."""
        body, agreed = self._answer(offer, self._version)
        if self._last and body != self._last:
            self._version += 1
            body, agreed = self._answer(offer, self._version)
        self._last = body
        return body, agreed

    def _answer(self, theirs: SessionDescription, version: int) -> tuple[bytes, Negotiated]:
        return answer(
            theirs,
            local_address=self.address,
            port=self.port,
            session_id=self.session_id,
            session_version=version,
        )

    def offer(self) -> bytes:
        """As the function `offer`, with this session's address, port and version."""
        body = self._offer(self._version)
        if self._last and body != self._last:
            self._version += 1
            body = self._offer(self._version)
        self._last = body
        return body

    def _offer(self, version: int) -> bytes:
        return offer(local_address=self.address, port=self.port, session_id=self.session_id, session_version=version)

    def accept(self, description: SessionDescription) -> Negotiated:
        """As the function `accept_answer`."""
        return accept_answer(description, local_address=self.address)
