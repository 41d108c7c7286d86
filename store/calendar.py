"""Which days are worked in China. Rule: a day nobody has published is unknown, and said to be.

PURE: year files come as text. The State Council publishes a year's holidays, and the weekend days worked in exchange,
in the autumn before; packages follow weeks later, and the ones that answer without data leave the worked weekends out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar
import yaml

# days off by law in the sun's calendar, known of any year (全国年节及纪念日放假办法, 2024): what a guess may rest on
_FIXED = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
_PROBES = ((1, 1), (5, 1), (10, 1))  # a year's list without them is not finished
_FIELDS = {"year", "source", "holidays", "workdays"}
_DAY = timedelta(days=1)

WARN_AHEAD = timedelta(days=60)


class CalendarMistake(Exception):
    """A year file that cannot be used, in one sentence that names it."""


@dataclass(frozen=True, slots=True)
class YearFile:
    """The published days of one year; they may reach into the December before, which a notice sometimes changes."""

    year: int
    source: str
    holidays: frozenset[date]
    workdays: frozenset[date]  # of weekends only: other days are worked anyway


@dataclass(frozen=True, slots=True)
class Day:
    """One day: worked or not, and whether that is published or only supposed."""

    worked: bool
    published: bool


class WorkCalendar:
    """The package's years, with a site's own year files over them."""

    def __init__(self, files: Iterable[YearFile] = ()) -> None:
        """Take year files, each of another year."""
        self._files: Mapping[int, YearFile] = {file.year: file for file in files}

    def day(self, day: date) -> Day:
        """Say whether a day is worked; never raises. Without data: Monday to Friday except the fixed holidays."""
        for year in (day.year, day.year + 1):
            file = self._files.get(year)
            if file and day in file.holidays | file.workdays:
                return Day(day in file.workdays, published=True)
        if day.year in self._files:
            return Day(day.weekday() < 5, published=True)
        try:
            return Day(bool(chinese_calendar.is_workday(day)), published=True)
        except NotImplementedError:
            return Day(day.weekday() < 5 and (day.month, day.day) not in _FIXED, published=False)

    def first_unpublished(self, today: date, within: timedelta = WARN_AHEAD) -> date | None:
        """Give the first day from today on that nobody has published, if it is near; the year file is then overdue."""
        days = (today + _DAY * ahead for ahead in range(within.days + 1))
        return next((day for day in days if not self.day(day).published), None)


def read_year(text: str, name: str) -> YearFile:
    """Read a year file (YAML; docs/cases.md shows one), or raise `CalendarMistake`. `name` is for the sentence."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CalendarMistake(f"{name} is not YAML: {str(error).splitlines()[0]}") from error
    except ValueError as error:
        raise CalendarMistake(f"{name}: there is no such date: {error}") from error
    if not isinstance(found, dict) or set(found) != _FIELDS:
        raise CalendarMistake(f"{name} must have exactly the fields {', '.join(sorted(_FIELDS))}")
    year = found["year"]
    if type(year) is not int or not 2000 <= year <= 2199:
        raise CalendarMistake(f"{name}: year {year!r} is no year")
    file = YearFile(
        year,
        str(found["source"]),
        _days(found["holidays"], f"{name}: holidays", year),
        _days(found["workdays"], f"{name}: workdays", year),
    )
    _check(file, name)
    return file


def _days(listed: object, place: str, year: int) -> frozenset[date]:
    """Read days and spans of days, `2027-02-05/2027-02-11` with both ends in."""
    if not isinstance(listed, list):
        raise CalendarMistake(f"{place} must be a list")
    days = [day for entry in listed for day in _span(entry, place)]
    for day in days:
        if day.year != year and (day.year, day.month) != (year - 1, 12):
            raise CalendarMistake(f"{place}: {day} is neither in {year} nor in the December before")
    return frozenset(days)


def _span(entry: object, place: str) -> Collection[date]:
    if type(entry) is date:
        return [entry]
    try:
        first, last = (date.fromisoformat(part.strip()) for part in str(entry).split("/"))
    except ValueError:
        raise CalendarMistake(f"{place}: {entry!r} is no date (2027-01-01) nor span (2027-02-05/2027-02-11)") from None
    if not first <= last <= first + timedelta(days=31):
        raise CalendarMistake(f"{place}: {entry!r} runs backward or longer than a month")
    return [first + _DAY * day for day in range((last - first).days + 1)]


def _check(file: YearFile, name: str) -> None:
    """Find the slips of a hand that copies from a notice."""
    for day in sorted(file.holidays & file.workdays):
        raise CalendarMistake(f"{name}: {day} is both a holiday and worked")
    for day in sorted(file.workdays):
        if day.weekday() < 5:
            raise CalendarMistake(f"{name}: {day} under workdays is no weekend day, so it is worked anyway")
    for month, number in _PROBES:
        if date(file.year, month, number) not in file.holidays:
            raise CalendarMistake(f"{name}: {file.year}-{month:02}-{number:02} is missing under holidays")
