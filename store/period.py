"""Civil days and months, and how a range of days is put together from whole months. Rule: Asia/Shanghai, ends open.

PURE.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from store.contact import CIVIL_TIME


@dataclass(frozen=True, slots=True)
class Days:
    """The civil days from `since` up to and without `until`; None: without end on that side."""

    since: date | None = None
    until: date | None = None

    @property
    def empty(self) -> bool:
        """Whether no day lies in it."""
        return self.since is not None and self.until is not None and self.since >= self.until

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


ALWAYS = Days()


def civil_day(moment: datetime) -> date:
    """Give the civil day of a moment."""
    return moment.astimezone(CIVIL_TIME).date()


def begins(day: date) -> datetime:
    """Give the moment a civil day begins, in UTC."""
    return datetime.combine(day, time.min, CIVIL_TIME).astimezone(UTC)


def month(day: date) -> date:
    """Give the first day of a day's month."""
    return day.replace(day=1)


def following(day: date) -> date:
    """Give the first day of the month after a day's month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def split(days: Days, at: date) -> tuple[Days, Days]:
    """Split a range into what lies before a day and what lies from it on; either may be empty."""
    until = at if days.until is None else min(days.until, at)
    since = at if days.since is None else max(days.since, at)
    return Days(days.since, until), Days(since, days.until)


def whole_months(days: Days) -> tuple[Days, list[Days]]:
    """Split a range into the whole months in it and what is left at either end."""
    if days.empty:
        return days, []
    since, until = days.since, days.until
    first = since if since is None or since.day == 1 else following(since)
    last = until if until is None else month(until)
    if first is not None and last is not None and first >= last:
        # no whole month: all of it is an edge
        return Days(first, first), [days]
    edges = [Days(since, first)] if since != first else []
    if until != last:
        edges.append(Days(last, until))
    return Days(first, last), edges
