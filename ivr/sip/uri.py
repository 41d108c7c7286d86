"""Reads SIP and tel URIs (RFC 3261 19.1, RFC 3966, RFC 5118) into their parts; other schemes stay opaque.

Lenient in what a user part may hold (`#`, `_`, raw semicolons: real PBXs send them), strict about what could
break a start line: blanks, quotes, angle brackets and control characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import unquote

from ivr.sip.errors import BadHeader
from ivr.sip.header_list import parse_parameters

_UNFIT = frozenset(map(chr, [*range(33), 127])) | frozenset('<>"')
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~%")
_IPV6_CHARS = frozenset("0123456789abcdefABCDEF:.%")


@dataclass(frozen=True)
class Uri:
    """The parts of a URI as written; `host` in lower case, IPv6 without brackets, "" for tel and opaque schemes."""

    scheme: str
    raw_user: str
    host: str
    port: int | None
    raw_parameters: str
    headers: str

    @property
    def user(self) -> str:
        """The user part (a tel URI's number), %-escapes undone exactly once, without a password or its parameters."""
        return unquote(self.raw_user.partition(":")[0], errors="replace")

    @cached_property
    def parameters(self) -> dict[str, str | None]:
        """URI parameters, names in lower case, values still escaped."""
        try:
            return parse_parameters(self.raw_parameters)
        except BadHeader:
            return {}

    @property
    def is_loose_router(self) -> bool:
        """RFC 3261 16.12: the `lr` parameter, with or without a value."""
        return "lr" in self.parameters


@lru_cache(maxsize=512)  # a trunk writes the same few URIs in every message
def parse(text: str) -> Uri:
    """Read a URI; BadHeader if it has no scheme, an impossible host or port, or characters no URI may hold."""
    if not _UNFIT.isdisjoint(text):
        raise BadHeader("blank or forbidden character in URI")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not scheme or not rest:
        raise BadHeader("URI without scheme or content")
    if scheme in {"sip", "sips"}:
        return _parse_sip(scheme, rest)
    if scheme == "tel":
        number, semicolon, parameters = rest.partition(";")
        return Uri(scheme, number, "", None, semicolon + parameters, "")
    return Uri(scheme, rest, "", None, "", "")


def _parse_sip(scheme: str, rest: str) -> Uri:
    user, at, location = rest.partition("@")
    if not at:
        user, location = "", rest
    location, question, headers = location.partition("?")
    host_port, semicolon, parameters = location.partition(";")
    host, port = parse_host_port(host_port)
    return Uri(scheme, user, host, port, semicolon + parameters, question + headers)


def parse_host_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, `[v6]`, `[v6]:port`; BadHeader otherwise. An IPv6 reference is only checked by its letters

    because `[2001:db8:::192.0.2.1]` has to be tolerated (RFC 5118 4.10).
    """
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or not host or not _IPV6_CHARS.issuperset(host) or (port and port[0] != ":"):
            raise BadHeader("bad IPv6 reference")
        return host.lower(), parse_port(port[1:]) if port else None
    host, colon, port = text.partition(":")
    if not host or not _NAME_CHARS.issuperset(host):
        raise BadHeader("bad host")
    return host.lower(), parse_port(port) if colon else None


def parse_port(text: str) -> int:
    """A port from 0 to 65535, or BadHeader."""
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65535:
        raise BadHeader("bad port")
    return int(text)


def without_headers(text: str) -> str:
    """The URI text fit for a start line: escaped headers (`?Route=…`) never become real ones (RFC 4475 3.1.2.11)."""
    user, at, location = text.partition("@")
    return user + at + location.partition("?")[0] if at else text.partition("?")[0]


def bracketed(host: str) -> str:
    """A numeric host as it stands in URIs and Via."""
    return f"[{host}]" if ":" in host else host
