"""Reads the topmost Via and stamps it with where the request really came from (RFC 3261 18.2.1, RFC 3581)."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.sip.errors import BadHeader
from ivr.sip.header_list import BLANK, parse_parameters
from ivr.sip.uri import bracketed, parse_host_port

MAGIC_COOKIE = "z9hG4bK"


@dataclass(frozen=True, slots=True)
class Via:
    """The topmost hop: `sent_by` in lower case as written, `branch` "" where the hop speaks RFC 2543."""

    transport: str
    sent_by: str
    host: str
    port: int | None
    branch: str
    parameters: dict[str, str | None]

    @property
    def identifies_transaction(self) -> bool:
        """Whether the branch is unique by RFC 3261; the bare cookie is not (RFC 4475 3.2.1)."""
        return len(self.branch) > len(MAGIC_COOKIE) and self.branch[:7].lower() == "z9hg4bk"


def top_length(text: str) -> int:
    """How much of a Via value the topmost hop takes; further hops may follow after a comma."""
    comma = text.find(",")
    if comma < 0 or '"' not in text[:comma]:
        return comma if comma >= 0 else len(text)
    inside = False
    for at, char in enumerate(text):
        if char == '"':
            inside = not inside
        elif char == "," and not inside:
            return at
    return len(text)


def parse(text: str) -> Via:
    """Read the topmost hop of a Via value; BadHeader if its protocol, sent-by or parameters cannot be read."""
    text = text[: top_length(text)]
    hop, semicolon, rest = text.partition(";")
    parts = hop.split("/", 2)
    if len(parts) != 3 or parts[0].strip(BLANK).upper() != "SIP" or not parts[1].strip(BLANK):
        raise BadHeader("bad Via protocol")
    transport, _, sent_by = parts[2].strip(BLANK).replace("\t", " ").partition(" ")
    sent_by = sent_by.replace(" ", "").lower()
    if not transport:
        raise BadHeader("Via without transport")
    host, port = parse_host_port(sent_by)
    parameters = parse_parameters(semicolon + rest) if semicolon else {}
    return Via(transport.upper(), sent_by, host, port, parameters.get("branch") or "", parameters)


def stamp(text: str, via: Via, host: str, port: int) -> str:
    """The Via value for a response: `received` where the sent-by is another host, both where `rport` asks for it.

    A `received` the sender wrote itself is replaced: only what we saw counts.
    """
    wants_port = "rport" in via.parameters
    claims = "received" in via.parameters
    if not wants_port and not claims and via.host == host:
        return text
    length = top_length(text)
    pieces = [
        piece
        for piece in text[:length].rstrip(BLANK).split(";")
        if piece.partition("=")[0].strip(BLANK).lower() not in {"rport", "received"}
    ]
    if wants_port or via.host != host:
        pieces.append(f"received={host}")
    if wants_port:
        pieces.append(f"rport={port}")
    return ";".join(pieces) + text[length:]


def own(transport: str, host: str, port: int, branch: str) -> str:
    """The Via of a request of ours."""
    return f"SIP/2.0/{transport.upper()} {bracketed(host)}:{port};branch={branch};rport"
