"""What an IVR node reports of one finished call. Rule: values only; whoever delivers a call has parsed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Match(StrEnum):
    """How sure it is which contact is meant. `TOKEN` and `NAMED` bind; the others stay out of every figure."""

    TOKEN = "token"  # noqa: S105  a valid token of this site, and the contact is in this store
    NAMED = "named"  # an authenticated channel named the contact
    NONE = "none"  # no token came with the call
    EXPIRED = "expired"  # genuine, but past its time
    FORGED = "forged"  # carries our site, or no readable site at all, and fails the check
    FOREIGN = "foreign"  # whole, but of another site, whose key is not ours to check with
    UNKNOWN = "unknown"  # genuine, but this store holds no such contact: another database, or one restored from before


class Outcome(StrEnum):
    """How a call or a contact ended. More may be added; none is ever renamed."""

    RATED = "rated"
    SILENT = "silent"
    INVALID = "invalid"
    HUNG_UP = "hung_up"
    DECLINED = "declined"
    TRANSFER_FAILED = "transfer_failed"
    NOT_OFFERED = "not_offered"
    EXPIRED = "expired"
    DEEMED = "deemed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One settled answer: the last the caller gave to this question."""

    question: str
    answer: str
    key: str
    at: datetime
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SettledCall:
    """One answered call after its end. `id` was fixed by the node before its first write; `caller` is ciphertext."""

    id: str
    call_id: str
    node: str
    flow: str
    flow_version: str
    language: str
    started_at: datetime
    answered_at: datetime
    ended_at: datetime
    ended_by: str
    outcome: str
    attempts: int
    match: Match
    contact: str | None
    caller: bytes | None
    trunk: str | None
    answers: tuple[GivenAnswer, ...]
