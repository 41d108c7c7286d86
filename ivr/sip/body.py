"""Finds what a body is for: the SDP of an INVITE, bare or within multipart (RFC 5621), and the key of an INFO."""

from __future__ import annotations

from ivr.sip.errors import BadHeader
from ivr.sip.header_list import BLANK, parse_parameters
from ivr.sip.message import Message

SDP = "application/sdp"
MAX_PARTS = 16

_KEYS = frozenset("0123456789*#ABCD")
# some gateways send the event numbers of RFC 4733 instead of the characters
_EVENT_KEYS = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
_FLASH = frozenset({"16", "!", "HF", "FLASH"})


class UnsupportedBody(BadHeader):
    """A body of a kind not spoken here: answer 415 and say what is."""


def description(message: Message) -> bytes | None:
    """The SDP of a request, None if it has no body; UnsupportedBody if the body is something else only."""
    if not message.body:
        return None
    kind = message.content_type
    if message.header("content-encoding") not in {None, "", "identity"}:
        raise UnsupportedBody("Content-Encoding Not Supported")
    if kind == SDP or (not kind and message.body.startswith(b"v=0")):
        return message.body
    if kind.startswith("multipart/"):
        return _part(message)
    raise UnsupportedBody("Content-Type Not Supported")


def _part(message: Message) -> bytes:
    """The SDP part: SIP-I trunks put it beside the ISUP message it came from."""
    _, semicolon, rest = (message.header("content-type") or "").partition(";")
    boundary = parse_parameters(semicolon + rest).get("boundary")
    if not boundary:
        raise UnsupportedBody("Multipart Without Boundary")
    parts = (b"\r\n" + message.body).split(b"\r\n--" + boundary.encode("latin-1"), MAX_PARTS)
    for part in parts[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            is_type = name.strip(BLANK).lower() in {"content-type", "c"}
            if is_type and value.partition(";")[0].strip(BLANK).lower() == SDP:
                return content
    raise UnsupportedBody("Multipart Without SDP")


def admits_description(message: Message) -> bool:
    """Whether the Accept header, if there is one, lets us answer with SDP (RFC 3261 20.1)."""
    if "accept" not in message.fields:
        return True
    ranges = {element.partition(";")[0].strip(BLANK).lower() for element in message.elements("accept")}
    return not ranges.isdisjoint({SDP, "application/*", "*/*"})


def key_signalled(message: Message) -> tuple[str, int | None] | None:
    """The key of an INFO and how long it was held in milliseconds; None for a hook flash or an empty body.

    `application/dtmf-relay` holds `Signal=` and `Duration=` lines, `application/dtmf` the bare character.
    BadHeader if the signal is no key, UnsupportedBody for any other content.
    """
    text = message.body[:256].decode("latin-1")
    match message.content_type:
        case "application/dtmf-relay":
            values = {}
            for line in text.splitlines():
                name, _, value = line.partition("=")
                values[name.strip().lower()] = value.strip()
            signal, duration = values.get("signal", ""), values.get("duration", "")
        case "application/dtmf":
            signal, duration = text.strip(), ""
        case _ if not message.body:
            return None
        case _:
            raise UnsupportedBody("Content-Type Not Supported")
    signal = signal.upper()
    if signal in _FLASH:
        return None
    key = _EVENT_KEYS.get(signal, signal)
    if key not in _KEYS:
        raise BadHeader("Signal Is No Key")
    plain = duration.isascii() and duration.isdigit() and len(duration) <= 6
    return key, int(duration) if plain else None
