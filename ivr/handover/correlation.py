"""Where in an INVITE the token may stand. Rule: the first thing meant as a token counts; no number is guessed from.

A PBX can hand a token over in the user part of the transfer URI, in `User-to-User` (RFC 7433), in `X-Evaluation-Token`,
or in headers escaped into a Refer-To URI (RFC 3261 19.1.1), which a referee turns into headers and some only copy.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from ivr.handover.token import find_token

TOKEN_HEADER = "X-Evaluation-Token"  # noqa: S105  a header's name
USER_TO_USER = "User-to-User"

Headers = Callable[[str], Sequence[str]] | Mapping[str, Sequence[str]]

_HEX = re.compile(r"(?:[0-9a-f]{2})+", re.IGNORECASE)
_ESCAPED_HEADERS = re.compile(r"\?([^>\s\"]+)")


def correlate(user: str, headers: Headers) -> str | None:
    """Give the token an INVITE carries, or None.

    `user` is the Request-URI's user part as it stood on the wire, parameters and all. `headers` gives all values of a
    header by its full name: a callable, or a mapping whose names are compared in any case.
    """
    values = headers if callable(headers) else _lookup(headers)
    for text in _places(user, values):
        if token := find_token(text):
            return token
    return None


def _lookup(headers: Mapping[str, Sequence[str]]) -> Callable[[str], Sequence[str]]:
    lower = {name.lower(): values for name, values in headers.items()}
    return lambda name: lower.get(name.lower(), ())


def _places(user: str, values: Callable[[str], Sequence[str]]) -> Iterator[str]:
    yield unquote(user)
    for value in values(TOKEN_HEADER):
        yield unquote(value)
    for value in values(USER_TO_USER):
        yield from _user_to_user(value)
    for value in values("Refer-To"):
        yield from _refer_to(value)


def _user_to_user(value: str) -> Iterator[str]:
    """Take each element of a User-to-User header as text and, if it can be hex, decoded.

    RFC 7433 4.1 makes hex the default and names it `encoding=hex`; products write plain text with and without a
    parameter. The first octet may be a protocol discriminator; a search, not a comparison, steps over it.
    """
    for element in unquote(value).split(","):
        data = element.partition(";")[0].strip().strip('"')
        yield data
        if _HEX.fullmatch(data):
            yield bytes.fromhex(data).decode("latin-1")


def _refer_to(value: str) -> Iterator[str]:
    escaped = _ESCAPED_HEADERS.search(value)
    for header in escaped[1].split("&") if escaped else ():
        name, _, content = header.partition("=")
        if name.lower() == USER_TO_USER.lower():
            yield from _user_to_user(content)
        elif name.lower() == TOKEN_HEADER.lower():
            yield unquote(content)
    yield unquote(value.partition("?")[0])
