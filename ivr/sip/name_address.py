"""Reads `"Name" <uri>;parameters` and bare `uri;parameters`: From, To, Contact, Route (RFC 3261 20.10, 25.1)."""

from __future__ import annotations

from ivr.sip import uri
from ivr.sip.errors import BadHeader
from ivr.sip.header_list import BLANK, parse_parameters, quoted_end, unquote


class NameAddress:
    """One address: `display` unquoted, `uri_text` as written, `parameters` of the header (not of the URI)."""

    __slots__ = ("_uri", "display", "parameters", "uri_text")

    def __init__(self, display: str, uri_text: str, parameters: dict[str, str | None]) -> None:
        self.display = display
        self.uri_text = uri_text
        self.parameters = parameters
        self._uri: uri.Uri | None = None

    @property
    def uri(self) -> uri.Uri:
        """The parts of the URI; BadHeader if it cannot be read."""
        if self._uri is None:
            self._uri = uri.parse(self.uri_text)
        return self._uri

    @property
    def tag(self) -> str | None:
        """The dialog tag of a From or To."""
        return self.parameters.get("tag")


def parse(text: str) -> NameAddress:
    """Read one address.

    Display names with characters that should have been quoted are tolerated (RFC 4475 3.1.2.15); an
    unterminated quote or bracket is a BadHeader.
    """
    begin = quoted_end(text, 0) if text.startswith('"') else 0
    opening = text.find("<", begin)
    if opening < 0:
        address, semicolon, rest = text.partition(";")
        parameters = semicolon + rest
        display = ""
    else:
        closing = text.find(">", opening)
        if closing < 0:
            raise BadHeader("unclosed angle bracket")
        address, parameters = text[opening + 1 : closing], text[closing + 1 :]
        display = unquote(text[:opening].strip(BLANK))
    address = address.strip(BLANK)
    if not address:
        raise BadHeader("empty address")
    return NameAddress(display, address, parse_parameters(parameters))
