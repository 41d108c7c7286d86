"""Reads CSeq (RFC 3261 20.16): a number below 2**31 and the method it counts."""

from __future__ import annotations

from typing import NamedTuple

from ivr.sip.errors import BadHeader


class CSeq(NamedTuple):
    """`number` orders the requests of a dialog, `method` repeats the start line's."""

    number: int
    method: str


def parse(text: str) -> CSeq:
    """`314159 INVITE` with any blanks between; BadHeader if it is no number below 2**31 and one method."""
    parts = text.split()
    if len(parts) != 2:
        raise BadHeader("CSeq is not a number and a method")
    digits = parts[0]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 40:
        raise BadHeader("CSeq number is not a number")
    number = int(digits)
    if number >= 2**31:
        raise BadHeader("CSeq number out of range")
    return CSeq(number, parts[1])
