"""What a platform's answer means. Rule: delivered only where it says so in words we know; in doubt it is sent again.

PURE. Sending again is safe: the message carries the same id, and a platform that has it already says so.
"""

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from store.exports.mapping import Answers

# refused whatever we try: the request itself is at fault
_REFUSED = frozenset({400, 406, 409, 410, 413, 414, 415, 422})
_LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole."""

    status: int
    body: bytes
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Nothing whole came back; whether the platform has the message is not known."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The platform has it. `duplicate`: it had it already."""

    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """To be tried again; `after`: how long the platform asks to be left alone."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform will never take it as it is."""

    reason: str


Verdict = Delivered | Again | Refused


def judge(answer: Response | Fault, answers: Answers, now: datetime) -> Verdict:
    """Read an answer by a target's own words."""
    if isinstance(answer, Fault):
        return Again(answer.reason)
    said = _read(answer.body)
    code, message = _code(said.get(answers.code)), str(said.get(answers.message) or "")
    if code is not None and _known(code, message, answers):
        return Delivered(duplicate=True)  # some platforms say so with an HTTP error
    told = _told(answer.status, code, message)
    if answer.status in _REFUSED:
        return Refused(told)
    if not 200 <= answer.status < 300:
        return Again(told, _retry_after(answer.retry_after, now))
    if code is None:
        return Again(f"{told}: no JSON object with {answers.code}")
    return Delivered() if code in answers.delivered else Refused(told)


def _read(body: bytes) -> dict[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return {}
    return said if isinstance(said, dict) else {}


def _code(value: object) -> str | None:
    """Take 0 and "0" for one; true and 1 are not."""
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def _known(code: str, message: str, answers: Answers) -> bool:
    return any(code == known and _folded(message) == _folded(words) for known, words in answers.duplicate)


def _folded(message: str) -> str:
    """Take the comma of one script for that of the other."""
    return unicodedata.normalize("NFKC", message).strip()


def _told(status: int, code: str | None, message: str) -> str:
    """Say what the platform said, shortened and on one line; it goes to lists and logs."""
    words = "".join(char if char.isprintable() else " " for char in message)[:_LONGEST_WORDS].strip()
    return " ".join(
        [f"HTTP {status}", *([f"code {code[:20]}"] if code is not None else []), *([words] if words else [])]
    )


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read Retry-After (RFC 9110 10.2.3): seconds, or a date."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return max(moment - now, timedelta(0)) if moment.tzinfo else None
