"""Turns bytes into requests and responses and back; header values are read only when somebody asks for them.

It refuses only what cannot be represented (no start line, a line without a colon, a Content-Length that is
not the body's); what a request *means* is judged elsewhere, with a 4xx. Text is latin-1: every byte becomes
one character and turns back into the same byte, so a header is copied verbatim into a response whatever its
encoding, and no later `encode` can fail as it would with surrogates.
"""

from __future__ import annotations

import re

from ivr.sip import cseq, name_address, uri, via
from ivr.sip.errors import BadHeader, MalformedMessage
from ivr.sip.header_list import BLANK, split_commas

MAX_HEAD_BYTES = 16_384
MAX_HEADER_LINES = 256

# RFC 3261 7.3.3 and the registry: letter -> name
COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "o": "event", "r": "refer-to", "s": "subject", "t": "to",
    "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}  # fmt: skip
_IRREGULAR = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "mime-version": "MIME-Version",
    "www-authenticate": "WWW-Authenticate",
}

Fields = dict[str, list[str]]

_fold = re.compile(r"\n[ \t]+")


class Message:
    """What requests and responses share: `fields` by lower-case long name, values unfolded, in order; `body`."""

    __slots__ = ("_cseq", "_from", "_to", "_via", "body", "fields")

    def __init__(self, fields: Fields, body: bytes = b"") -> None:
        self.fields = fields
        self.body = body
        self._via: via.Via | None = None
        self._from: name_address.NameAddress | None = None
        self._to: name_address.NameAddress | None = None
        self._cseq: cseq.CSeq | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header as written (unfolded), whatever the case of `name`; None if absent."""
        values = self.fields.get(name.lower())
        return values[0] if values else None

    def headers(self, name: str) -> list[str]:
        """All values of a header, one item per header line."""
        return self.fields.get(name.lower(), [])

    def elements(self, name: str) -> list[str]:
        """All comma-separated elements of a header over all its lines; BadHeader on an unclosed quote."""
        return [element for line in self.fields.get(name, ()) for element in split_commas(line)]

    def _single(self, name: str) -> str:
        values = self.fields.get(name)
        if not values:
            raise BadHeader(f"Missing {pretty(name)}")
        if len(values) > 1:
            raise BadHeader(f"Multiple {pretty(name)}")
        return values[0]

    @property
    def via(self) -> via.Via:
        """The topmost Via; BadHeader if missing or unreadable. So for the other typed headers."""
        if self._via is None:
            lines = self.fields.get("via")
            if not lines:
                raise BadHeader("Missing Via")
            self._via = via.parse(lines[0])
        return self._via

    @property
    def from_(self) -> name_address.NameAddress:
        """The From address."""
        if self._from is None:
            self._from = name_address.parse(self._single("from"))
        return self._from

    @property
    def to(self) -> name_address.NameAddress:
        """The To address."""
        if self._to is None:
            self._to = name_address.parse(self._single("to"))
        return self._to

    @property
    def cseq(self) -> cseq.CSeq:
        """Number and method."""
        if self._cseq is None:
            self._cseq = cseq.parse(self._single("cseq"))
        return self._cseq

    @property
    def call_id(self) -> str:
        """The Call-ID: opaque, without blanks."""
        value = self._single("call-id")
        if not value or not value.isprintable() or " " in value:
            raise BadHeader("Bad Call-ID")
        return value

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters, "" if none is named."""
        return (self.header("content-type") or "").partition(";")[0].strip(BLANK).lower()


class Request(Message):
    """A request: `method` as written (methods are case-sensitive), `uri_text` the Request-URI, `version` upper case."""

    __slots__ = ("_uri", "method", "uri_text", "version")

    def __init__(self, method: str, uri_text: str, fields: Fields, body: bytes = b"", version: str = "SIP/2.0") -> None:
        super().__init__(fields, body)
        self.method = method
        self.uri_text = uri_text
        self.version = version
        self._uri: uri.Uri | None = None

    @property
    def uri(self) -> uri.Uri:
        """The parts of the Request-URI; BadHeader if it cannot be read."""
        if self._uri is None:
            self._uri = uri.parse(self.uri_text)
        return self._uri

    def start_line(self) -> str:
        """The request line."""
        return f"{self.method} {self.uri_text} {self.version}"


class Response(Message):
    """A response: `status` 100 to 699, `reason` as written."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, fields: Fields, body: bytes = b"") -> None:
        super().__init__(fields, body)
        self.status = status
        self.reason = reason

    def start_line(self) -> str:
        """The status line."""
        return f"SIP/2.0 {self.status} {self.reason}"


def parse(data: bytes) -> Request | Response:
    """Read one datagram or one framed stream message; octets past Content-Length are ignored (RFC 3261 18.3).

    MalformedMessage carries the request as far as it was readable, so that it can be answered.
    """
    head, _, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    text = head[:MAX_HEAD_BYTES].decode("latin-1").replace("\r\n", "\n")
    if "\n " in text or "\n\t" in text:
        text = _fold.sub(" ", text)
    start, _, rest = text.partition("\n")
    fields: Fields = {}
    fault = _read_fields(rest, fields)
    if start[:4].upper() == "SIP/":
        message: Request | Response = _response(start, fields, body)
    else:
        message = _request(start, fields, body)
    salvage = message if isinstance(message, Request) else None
    if len(head) > MAX_HEAD_BYTES:
        raise MalformedMessage("Header Too Large", salvage, 513)
    if fault is not None:
        raise MalformedMessage(fault, salvage)
    fault = _trim_body(message)
    if fault is not None:
        raise MalformedMessage(fault, salvage, breaks_stream=True)
    return message


def _read_fields(text: str, fields: Fields) -> str | None:
    """Fill `fields` and return the first fault; lines after it are read all the same, to salvage the rest."""
    fault = None
    lines = text.split("\n")
    if len(lines) > MAX_HEADER_LINES:
        fault = "Too Many Header Lines"
        del lines[MAX_HEADER_LINES:]
    if "\r" in text:
        fault = "Bare CR In Header"
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(BLANK).lower()
        if not colon or not name:
            if line.strip(BLANK):
                fault = fault or "Header Line Without Name Or Colon"
            continue
        name = COMPACT.get(name, name)
        value = value.strip(" \t\r")
        if name in fields:
            fields[name].append(value)
        else:
            fields[name] = [value]
    return fault


def _request(start: str, fields: Fields, body: bytes) -> Request:
    # several blanks between the parts and blanks after them are tolerated (RFC 4475 3.1.2.9, 3.1.2.10)
    parts = start.split()
    if len(parts) < 3 or not parts[-1].upper().startswith("SIP/"):
        raise MalformedMessage("No Start Line Of SIP")
    request = Request(parts[0], parts[1], fields, body, parts[-1].upper())
    if len(parts) > 3:
        raise MalformedMessage("Blank In Request-URI", request)
    return request


def _response(start: str, fields: Fields, body: bytes) -> Response:
    version, _, rest = start.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0" or len(status) != 3 or not (status.isascii() and status.isdigit()):
        raise MalformedMessage("No Status Line Of SIP")
    if not 100 <= int(status) <= 699:
        raise MalformedMessage("Status Out Of Range")
    return Response(int(status), reason, fields, body)


def _trim_body(message: Message) -> str | None:
    """Cut the body to its Content-Length; the fault if that is impossible."""
    lengths = message.fields.get("content-length")
    if lengths is None:
        return None
    if len(lengths) > 1:
        return "Multiple Content-Length"
    length = content_length(lengths[0])
    if length is None:
        return "Bad Content-Length"
    if length > len(message.body):
        return "Body Shorter Than Content-Length"
    if length < len(message.body):
        message.body = message.body[:length]
    return None


def content_length(text: str) -> int | None:
    """The value of a Content-Length, None if it is no plain number of at most 9 digits."""
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return int(text)


def pretty(name: str) -> str:
    """A header name as the RFCs write it."""
    return _IRREGULAR.get(name) or name.title()


def serialize(message: Request | Response) -> bytes:
    """The message as bytes, Content-Length added or corrected; a field's lines stay in order."""
    lines = [message.start_line()]
    for name, values in message.fields.items():
        if name != "content-length":
            shown = pretty(name)
            lines += [f"{shown}: {value}" for value in values]
    lines.append(f"Content-Length: {len(message.body)}\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1") + message.body
