"""SIP as the tests speak it, over UDP or TCP. Written apart from ivr/sip, so that both cannot err alike."""

import itertools
import os
import socket
import time
from dataclasses import dataclass, field
from typing import Self

_serial = itertools.count(1)

Headers = list[tuple[str, str]]


def unique(word: str) -> str:
    """A word never used before in this test run: for branches, tags and Call-IDs."""
    return f"{word}{os.getpid()}x{next(_serial)}x{os.urandom(3).hex()}"


@dataclass(slots=True)
class Message:
    """One request or response as it came or goes; header names in the long form, looked up in any case."""

    start: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what the service sent: it may not fold nor abbreviate, so this needs no more."""
        head, _, body = data.partition(b"\r\n\r\n")
        start, *lines = head.decode("utf-8", errors="surrogateescape").split("\r\n")
        pairs = [line.partition(":") for line in lines]
        return cls(start, [(name.strip(), value.strip()) for name, _, value in pairs], body)

    def serialize(self) -> bytes:
        """As bytes, Content-Length added where the test gave none."""
        headers = list(self.headers)
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers.append(("Content-Length", str(len(self.body))))
        lines = [self.start, *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode("utf-8", errors="surrogateescape") + self.body

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for each, value in self.headers if each.lower() == name.lower()]

    def get(self, name: str) -> str:
        """The first value of a header, "" where there is none."""
        return next(iter(self.all(name)), "")

    @property
    def status(self) -> int:
        """A response's status; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """A request's method; "" for a response."""
        return "" if self.status else self.start.split(" ")[0]

    @property
    def cseq(self) -> tuple[int, str]:
        """CSeq as number and method."""
        number, _, method = self.get("CSeq").partition(" ")
        return int(number) if number.isdigit() else 0, method.strip()

    @property
    def to_tag(self) -> str:
        """The tag of To, "" without one."""
        return self.get("To").partition(";tag=")[2]


class Wire:
    """A socket towards one SIP address. UDP takes and gives datagrams, TCP is cut at Content-Length."""

    def __init__(self, host: str, port: int, transport: str = "udp", *, source: str = "", local_port: int = 0) -> None:
        """`source`: the loopback address to speak from, by default the service's own."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.transport = transport
        self.target = (host, port)
        self.sock = socket.socket(family, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        self.sock.bind((source or host, local_port))
        if transport == "tcp":
            self.sock.connect((host, port))
        self.host, self.port = self.sock.getsockname()[:2]
        self._buffer = b""

    @property
    def address(self) -> str:
        """Our HOST:PORT as it stands in Via and Contact."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def send(self, data: bytes) -> None:
        """One datagram, or bytes of the stream."""
        if self.transport == "udp":
            self.sock.sendto(data, self.target)
        else:
            self.sock.sendall(data)

    def receive(self, within: float = 5.0) -> bytes | None:
        """The next whole message; None when none comes in time, or when the stream was closed."""
        deadline = time.monotonic() + within
        while True:
            if self.transport == "tcp" and (message := self._cut()):
                return message
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.sock.recv(65535)
            except (TimeoutError, ConnectionError):
                return None
            if self.transport == "udp":
                return data
            if not data:
                return None
            self._buffer += data

    def _cut(self) -> bytes | None:
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = int(Message.parse(head + blank).get("Content-Length") or 0)
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return head + blank + rest[:length]

    def closed(self, within: float = 5.0) -> bool:
        """Whether the other side closes the stream in time, whatever it sends before."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self.sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                if not self.sock.recv(65535):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def ask(self, request: Message | bytes, within: float = 5.0) -> Message | None:
        """Send and give the first final response, whosever transaction; None when none comes."""
        self.send(request if isinstance(request, bytes) else request.serialize())
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0 and (data := self.receive(left)) is not None:
            message = Message.parse(data)
            if message.status >= 200:
                return message
        return None

    def close(self) -> None:
        """Give the port back."""
        self.sock.close()


def request(wire: Wire, method: str, user: str = "survey", *, sdp: str = "", **changes: str | None) -> Message:
    """A request outside a dialog as it should be; `changes` replaces (None: removes) headers, `_` standing for `-`."""
    host, port = wire.target
    bracketed = f"[{host}]" if ":" in host else host
    uri = f"sip:{user}@{bracketed}:{port}" if user else f"sip:{bracketed}:{port}"
    plain: dict[str, str | None] = {
        "Via": f"SIP/2.0/{wire.transport.upper()} {wire.address};branch={unique('z9hG4bK')};rport",
        "Max-Forwards": "70",
        "From": f"<sip:13800000000@{wire.address}>;tag={unique('f')}",
        "To": f"<{uri}>",
        "Call-ID": unique("call"),
        "CSeq": f"1 {method}",
        "Contact": f"<sip:phone@{wire.address}{';transport=tcp' if wire.transport == 'tcp' else ''}>",
    }
    if sdp:
        plain["Content-Type"] = "application/sdp"
    for name, value in changes.items():
        written = name.replace("_", "-")
        plain[next((each for each in plain if each.lower() == written.lower()), written)] = value
    headers = [(name, value) for name, value in plain.items() if value is not None]
    return Message(f"{method} {uri} SIP/2.0", headers, sdp.encode())


def acknowledge(refused: Message, response: Message) -> Message:
    """The ACK of an INVITE's final error: the same branch and the response's To (RFC 3261 17.1.1.3)."""
    kept = [(name, refused.get(name)) for name in ("Via", "From", "Call-ID")]
    uri = refused.start.split(" ")[1]
    number = refused.cseq[0]
    headers = [*kept, ("To", response.get("To")), ("CSeq", f"{number} ACK"), ("Max-Forwards", "70")]
    return Message(f"ACK {uri} SIP/2.0", headers)


def description(
    host: str, port: int, *, formats: str = "8 0 101", direction: str = "sendrecv", version: int = 1
) -> str:
    """An SDP offer or answer with one audio stream; payload type 101 is telephone-event."""
    kind = "IP6" if ":" in host else "IP4"
    names = {"8": "PCMA/8000", "0": "PCMU/8000", "101": "telephone-event/8000", "96": "telephone-event/8000"}
    maps = [f"a=rtpmap:{each} {names[each]}" for each in formats.split() if each in names]
    lines = [
        "v=0",
        f"o=phone 1 {version} IN {kind} {host}",
        "s=-",
        f"c=IN {kind} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {formats}",
        *maps,
        "a=ptime:20",
        f"a={direction}",
    ]
    return "\r\n".join(lines) + "\r\n"
