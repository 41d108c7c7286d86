"""What one contact adds to the figures. Rule: a history as of a ledger entry gives cells; nothing else is counted.

PURE. The figures of the store are sums of cells. A contact's cells follow from its history alone (registered, asked,
evaluated, decided on, followed up), each step known by the number of its ledger entry. So what a stretch of the ledger
adds is, for each contact it touches, the cells as of its end less the cells as of its beginning.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class Measure(StrEnum):
    """What is counted. Contacts under the day they were registered, evaluations under the day they were recorded."""

    OWED = "owed"  # a contact owes an offer of evaluation
    ASKED = "asked"  # its question was put to the person at least once, or it was evaluated
    RATED = "rated"  # it has a given evaluation
    GIVEN = "given"  # the first given evaluation of a contact, adopted
    NOT_ADOPTED = "not_adopted"  # the first given evaluation of a contact, left out after review
    DEEMED = "deemed"  # written by the job, and nothing was given since
    FOLLOW_UP = "follow_up"  # a given evaluation after the first, adopted
    # under the day the deadline ran out; a case's first cycle
    CALL_BACK_DUE = "call_back_due"
    CALLED_BACK = "called_back"
    RECTIFY_DUE = "rectify_due"  # of evaluations that are adopted
    RECTIFIED = "rectified"


CONTACTS = frozenset({Measure.OWED, Measure.ASKED, Measure.RATED})
DEADLINES = frozenset({Measure.CALL_BACK_DUE, Measure.CALLED_BACK, Measure.RECTIFY_DUE, Measure.RECTIFIED})


class Codes(NamedTuple):
    """To whom something is counted; empty: unknown. Contacts have no channel: who was never asked came by none."""

    department: str
    item: str
    operator: str
    channel: str = ""


class Cell(NamedTuple):
    """One place in the figures; `grade` is empty for what has none."""

    day: date
    codes: Codes
    measure: Measure
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on an evaluation; the last by (at, id) holds, whatever order they were entered in."""

    seq: int
    order: tuple[datetime, str]
    adopted: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """The case of a bad evaluation: when its deadlines ran out, and the entries of what was done in time."""

    seq: int
    call_back_day: date
    rectify_day: date
    called_back: tuple[int, ...] = ()
    rectified: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ballot:
    """One evaluation of a contact, with the codes it was stored with."""

    seq: int
    day: date
    codes: Codes
    grade: str
    round: int
    deemed: bool
    decisions: tuple[Decided, ...] = ()
    case: Followed | None = None

    def adopted(self, upto: int) -> bool:
        """Whether it counts, as of a ledger entry."""
        known = [decided for decided in self.decisions if decided.seq <= upto]
        return max(known, key=lambda decided: decided.order).adopted if known else True


@dataclass(frozen=True, slots=True)
class History:
    """All that happened to one contact. `asked`: the entries of its calls in which the question was put."""

    seq: int
    day: date
    codes: Codes
    asked: tuple[int, ...] = ()
    ballots: tuple[Ballot, ...] = ()


def cells(history: History, upto: int) -> Counter[Cell]:
    """Give the cells of a contact as of a ledger entry."""
    found: Counter[Cell] = Counter()
    if history.seq > upto:
        return found
    known = [ballot for ballot in history.ballots if ballot.seq <= upto]
    given = [ballot for ballot in known if not ballot.deemed]
    first = min(given, key=lambda ballot: ballot.round, default=None)
    measures = [Measure.OWED]
    if given or any(seq <= upto for seq in history.asked):
        measures.append(Measure.ASKED)
    if given:
        measures.append(Measure.RATED)
    found.update(Cell(history.day, history.codes, measure) for measure in measures)
    # a call given in time may be delivered after the seven days: then it stands, and nothing is deemed
    for ballot in given or known:
        found.update(_of_ballot(ballot, upto, first=ballot is first))
    return found


def change(histories: Iterable[History], after: int, upto: int) -> Counter[Cell]:
    """Give what entries after one and up to another change; the histories are those of all contacts they touch."""
    total: Counter[Cell] = Counter()
    for history in histories:
        total.update(cells(history, upto))
        total.subtract(cells(history, after))
    return Counter({cell: count for cell, count in total.items() if count})


def _of_ballot(ballot: Ballot, upto: int, *, first: bool) -> list[Cell]:
    adopted = ballot.adopted(upto)
    found = []
    if measure := _measure(ballot, adopted=adopted, first=first):
        found.append(Cell(ballot.day, ballot.codes, measure, ballot.grade))
    if ballot.case and ballot.case.seq <= upto:
        found += _of_case(ballot, ballot.case, upto, adopted=adopted)
    return found


def _measure(ballot: Ballot, *, adopted: bool, first: bool) -> Measure | None:
    if ballot.deemed:
        return Measure.DEEMED
    if first:
        return Measure.GIVEN if adopted else Measure.NOT_ADOPTED
    return Measure.FOLLOW_UP if adopted else None


def _of_case(ballot: Ballot, case: Followed, upto: int, *, adopted: bool) -> list[Cell]:
    measures = [(case.call_back_day, Measure.CALL_BACK_DUE)]
    if any(seq <= upto for seq in case.called_back):
        measures.append((case.call_back_day, Measure.CALLED_BACK))
    if adopted:
        measures.append((case.rectify_day, Measure.RECTIFY_DUE))
        if any(seq <= upto for seq in case.rectified):
            measures.append((case.rectify_day, Measure.RECTIFIED))
    return [Cell(day, ballot.codes, measure) for day, measure in measures]
