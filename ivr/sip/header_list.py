"""Cuts header values at commas, semicolons and equal signs, minding quotes and brackets (RFC 3261 7.3.1, 25.1)."""

from __future__ import annotations

from ivr.sip.errors import BadHeader

BLANK = " \t"


def quoted_end(text: str, start: int) -> int:
    """Index just past the quoted string whose opening quote stands at `start`; BadHeader if it never closes."""
    at = start + 1
    while True:
        close = text.find('"', at)
        if close < 0:
            raise BadHeader("unterminated quoted string")
        backslash = text.find("\\", at, close)
        if backslash < 0:
            return close + 1
        at = backslash + 2


def _split_outside(text: str, separator: str) -> list[str]:
    pieces, begin, at, depth = [], 0, 0, 0
    while at < len(text):
        char = text[at]
        if char == '"':
            at = quoted_end(text, at)
            continue
        if char == "<":
            depth = 1
        elif char == ">":
            depth = 0
        elif char == separator and not depth:
            pieces.append(text[begin:at])
            begin = at + 1
        at += 1
    pieces.append(text[begin:])
    return pieces


def split_commas(text: str) -> list[str]:
    """The elements of a comma-separated value, stripped, empty ones left out."""
    if "," not in text:
        pieces = [text]
    elif '"' in text or "<" in text:
        pieces = _split_outside(text, ",")
    else:
        pieces = text.split(",")
    return [piece for piece in (piece.strip(BLANK) for piece in pieces) if piece]


def parse_parameters(text: str) -> dict[str, str | None]:
    """`;name=value;flag` as {name: value, flag: None}; names in lower case, quoted values unquoted, the first wins.

    Empty parameters (`;;`) are refused with BadHeader, as RFC 4475 3.1.2.1 wants.
    """
    parameters: dict[str, str | None] = {}
    text = text.strip(BLANK)
    if not text:
        return parameters
    if text[0] != ";":
        raise BadHeader("text after the address that is no parameter")
    pieces = _split_outside(text, ";") if '"' in text else text.split(";")
    for piece in pieces[1:]:
        name, equals, value = piece.partition("=")
        name = name.strip(BLANK).lower()
        if not name:
            raise BadHeader("empty parameter")
        parameters.setdefault(name, unquote(value.strip(BLANK)) if equals else None)
    return parameters


def unquote(text: str) -> str:
    """The content of a quoted string, or the text itself when it is a token."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    text = text[1:-1]
    if "\\" not in text:
        return text
    plain, at = [], 0
    while (backslash := text.find("\\", at)) >= 0:
        plain.append(text[at:backslash])
        plain.append(text[backslash + 1 : backslash + 2])
        at = backslash + 2
    plain.append(text[at:])
    return "".join(plain)
