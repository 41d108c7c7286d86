"""When what is due is due. Rule: hours and days are natural time; only the objection counts working days.

PURE. DB2203/T 8-2024: 6.4 deemed after 7 d, 8.1 called back within 48 h and rectified within 15 d, 9.3 objection
within 2 working days. The first day is not counted, and a last day lasts until its midnight in Asia/Shanghai. A
deadline is the last moment that is still in time. Rolling a last day that is not worked to the next worked day is an
option (`roll`), off by default.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from store.calendar import WorkCalendar
from store.contact import CIVIL_TIME

CALL_BACK_HOURS = 48
RECTIFY_DAYS = 15
DEEMED_DAYS = 7
OBJECTION_WORKING_DAYS = 2

_DAY = timedelta(days=1)
# counted days may fall into years without data; no published holiday was ever longer than this
_LONGEST_SEARCH = 366


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last moment in time, in UTC; provisional where it rests on days that nobody has published yet."""

    at: datetime
    provisional: bool = False


def call_back_due(at: datetime) -> Deadline:
    """Give the end of the 48 hours after a bad evaluation was received (8.1)."""
    return Deadline(at.astimezone(UTC) + timedelta(hours=CALL_BACK_HOURS))


def rectify_due(at: datetime, roll: WorkCalendar | None = None) -> Deadline:
    """Give the end of the 15th day after a bad evaluation was received (8.1); `roll`: off a day that is not worked."""
    return _last_day(at, RECTIFY_DAYS, roll)


def deemed_due(at: datetime, roll: WorkCalendar | None = None) -> Deadline:
    """Give the end of the 7th day after a service ended, up to which its evaluation may be given (6.4)."""
    return _last_day(at, DEEMED_DAYS, roll)


def objection_until(at: datetime, calendar: WorkCalendar) -> Deadline:
    """Give the end of the 2nd working day after a bad evaluation was received (9.3)."""
    return working_days(at, OBJECTION_WORKING_DAYS, calendar)


def working_days(at: datetime, count: int, calendar: WorkCalendar) -> Deadline:
    """Give the end of the `count`-th working day after a moment's civil day."""
    day, provisional = _civil_day(at), False
    for _ in range(count):
        day, supposed = _next_worked(day + _DAY, calendar)
        provisional |= supposed
    return Deadline(_end_of(day), provisional)


def _last_day(at: datetime, days: int, roll: WorkCalendar | None) -> Deadline:
    day = _civil_day(at) + _DAY * days
    if roll is None:
        return Deadline(_end_of(day))
    day, provisional = _next_worked(day, roll)
    return Deadline(_end_of(day), provisional)


def _next_worked(day: date, calendar: WorkCalendar) -> tuple[date, bool]:
    """Give the first worked day from `day` on, and whether a day looked at on the way was only supposed."""
    provisional = False
    for _ in range(_LONGEST_SEARCH):
        found = calendar.day(day)
        provisional |= not found.published
        if found.worked:
            break
        day += _DAY
    return day, provisional


def _civil_day(at: datetime) -> date:
    return at.astimezone(CIVIL_TIME).date()


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, CIVIL_TIME).astimezone(UTC)
