"""Who is reminded of what, and when. Rule: once before and once after each deadline.

PURE.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from store.case import Case, ObjectionState, Role, State
from store.deadline import Deadline


class Duty(StrEnum):
    """What is due."""

    CALL_BACK = "call_back"
    RECTIFY = "rectify"
    OBJECT = "object"  # a right rather than a duty: the department is told before it ends
    DECIDE = "decide_objection"


class When(StrEnum):
    """On which side of the deadline."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder of a case: to whom, of what, and from which moment on it is to be given."""

    duty: Duty
    when: When
    to: Role
    due: datetime
    at: datetime


Given = tuple[str, str, datetime]  # duty, side and deadline of a reminder that was given


@dataclass(frozen=True, slots=True)
class Ahead:
    """How long before its deadline each duty is reminded of."""

    call_back: timedelta = timedelta(hours=12)
    rectify: timedelta = timedelta(days=3)
    objection: timedelta = timedelta(hours=24)


def reminders(case: Case, ahead: Ahead) -> list[Reminder]:
    """Give what is still to be reminded of in a case as it stands, the earliest first."""
    found = [
        Reminder(duty, when, to, deadline.at, max(at, case.received_at))
        for duty, to, deadline, early in _open_duties(case, ahead)
        for when, at in ((When.BEFORE, deadline.at - early), (When.AFTER, deadline.at))
    ]
    return sorted(found, key=lambda each: (each.at, each.duty, each.when))


def to_give(case: Case, ahead: Ahead, given: Collection[Given], now: datetime) -> list[Reminder]:
    """Give the reminders whose time has come; one from before a deadline that is over would help nobody."""
    return [each for each in _left(case, ahead, given, now) if each.at <= now]


def wake_at(case: Case, ahead: Ahead, given: Collection[Given], now: datetime) -> datetime | None:
    """Say when the next reminder of a case is to be given; None where there is none."""
    return min((each.at for each in _left(case, ahead, given, now)), default=None)


def _left(case: Case, ahead: Ahead, given: Collection[Given], now: datetime) -> Iterator[Reminder]:
    for each in reminders(case, ahead):
        missed = each.when is When.BEFORE and each.due <= now
        if not missed and (each.duty, each.when, each.due) not in given:
            yield each


def next_due(case: Case) -> datetime | None:
    """Give the earliest deadline that somebody still has to meet; None where nothing is due."""
    duties = _open_duties(case, Ahead())
    return min((deadline.at for duty, _, deadline, _ in duties if duty is not Duty.OBJECT), default=None)


def _open_duties(case: Case, ahead: Ahead) -> Iterator[tuple[Duty, Role, Deadline, timedelta]]:
    objection = case.objection
    if objection.state is ObjectionState.FILED and objection.due is not None:
        yield Duty.DECIDE, Role.REVIEWER, objection.due, ahead.objection
    if case.over or case.state is State.NOT_ADOPTED:
        return
    if case.called_back_at is None:
        yield Duty.CALL_BACK, Role.CASE_TEAM, case.deadlines.call_back, ahead.call_back
    if case.rectified_at is None and case.state not in (State.EXPLAINED, State.CALLED_BACK):
        # until it is with the department, the case team's delay is what makes it late
        to = Role.DEPARTMENT if case.state is State.RECTIFYING else Role.CASE_TEAM
        yield Duty.RECTIFY, to, case.deadlines.rectify, ahead.rectify
    if objection.state is ObjectionState.NONE:
        yield Duty.OBJECT, Role.DEPARTMENT, case.deadlines.objection, ahead.objection
