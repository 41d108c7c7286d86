"""One ballot per contact and round, whatever the channel. Rule: the first stored wins; another round must be offered.

PURE.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from store.call import Match
from store.evaluation import FIRST_ROUND, Earlier, Repeat
from store.grade import Grade

CLOCK_SKEW = timedelta(minutes=1)  # how far a device's clock may run ahead of ours


class Verdict(StrEnum):
    """What became of a ballot. Kept with idempotency keys: never renamed."""

    STORED = "stored"
    ALREADY_EVALUATED = "already_evaluated"
    CLOSED = "closed"  # the time in which the contact was owed an evaluation is over
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  no secret
    UNKNOWN_CONTACT = "unknown_contact"
    NO_SUCH_ROUND = "no_such_round"


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a channel brings. `claimed_at`: when it was given by the channel's own clock, a claim and no more."""

    contact: str
    match: Match
    grade: Grade
    tags: tuple[str, ...] = ()
    comment: str | None = None
    device: str | None = None
    claimed_at: datetime | None = None
    round: int | None = None
    form: str | None = None  # number of a paper form


def settle_round(
    ballot: Ballot, earlier: Earlier, owed_until: datetime | None, *, now: datetime, repeat: Repeat
) -> int | Verdict:
    """Say which round a ballot is, or why it is none.

    Without a round named it is the next one offered, else the first. A round nobody offered may be asked for by name
    where a second evaluation of one's own accord (追评) is set to be allowed.
    """
    offered = earlier.rounds < earlier.offered
    wanted = ballot.round or (earlier.rounds + 1 if offered else FIRST_ROUND)
    if wanted <= earlier.rounds or (not offered and repeat is Repeat.REFUSE):
        return Verdict.ALREADY_EVALUATED
    if wanted > earlier.rounds + 1:
        return Verdict.NO_SUCH_ROUND
    until = earlier.offered_until if offered and wanted > FIRST_ROUND else owed_until
    return Verdict.CLOSED if until is not None and now > until else wanted


def from_the_future(claimed_at: datetime | None, now: datetime) -> bool:
    """Say whether a time cannot have been yet."""
    return claimed_at is not None and claimed_at > now + CLOCK_SKEW
