"""What a call's answers become. Rule: the last grade given stands; a grade is a known name or nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from store.call import GivenAnswer, Match, Outcome, SettledCall
from store.grade import Grade

GRADE_QUESTION = "grade"
FIRST_ROUND = 1


class Repeat(StrEnum):
    """What a second call with the token of a contact already evaluated becomes."""

    FOLLOW_UP = "follow_up"  # the next round (追评, assessNumber 2 and on)
    REFUSE = "refuse"


ALREADY_EVALUATED = "already_evaluated"


@dataclass(frozen=True, slots=True)
class Given:
    """A grade that becomes an evaluation."""

    grade: Grade
    answer: GivenAnswer
    round: int


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A grade that was given and becomes no evaluation, and why. The call and its answers are kept."""

    reason: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a contact was evaluated before: `elsewhere` by a channel other than our calls; `offered` rounds in all.

    `offered_until`: the end of the time for the last round offered after the first.
    """

    rounds: int = 0
    elsewhere: bool = False
    offered: int = FIRST_ROUND
    offered_until: datetime | None = None


def bind(call: SettledCall, *, known: bool) -> tuple[Match, str | None]:
    """Say how a call is matched and to which contact it is bound; `known`: the store holds the contact of its token."""
    if call.match is not Match.TOKEN:
        return call.match, None
    return (Match.TOKEN, call.contact) if known else (Match.UNKNOWN, None)


def judge(call: SettledCall, *, earlier: Earlier, repeat: Repeat) -> Given | NotTaken | None:
    """Say what the grade of a call becomes; None where none was given, or where the caller was not told it is kept.

    A journal that answers too late leaves a grade in a call that ended in `error` with an apology: the caller was
    sent to another channel, so counting it would rate twice, or against a change of mind. The answer stays on the call.
    `earlier` is that of the contact the call is bound to; a call bound to none has none. A second call may be a
    follow-up by setting; a call after another channel's ballot is a second ballot, unless a round was offered.
    """
    answer = next((answer for answer in call.answers if answer.question == GRADE_QUESTION), None)
    if call.outcome != Outcome.RATED:
        return None
    if answer is None:
        # a flow that asks its grade under another name must not lose ratings unseen
        return NotTaken("rated_without_grade")
    if answer.answer not in set(Grade):
        return NotTaken(f"unknown_grade: {answer.answer!r}")
    if earlier.rounds >= earlier.offered and (repeat is Repeat.REFUSE or earlier.elsewhere):
        return NotTaken(ALREADY_EVALUATED)
    return Given(Grade(answer.answer), answer, FIRST_ROUND + earlier.rounds)
