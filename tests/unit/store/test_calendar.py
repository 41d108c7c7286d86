"""Worked days: the package's, a site's own year files, and what nobody has published."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.calendar import CalendarMistake, Day, WorkCalendar, read_year

# a list such as the State Council might publish: for tests alone, 2027's was not out when this was written
YEAR_2027 = """
year: 2027
source: made up for tests
holidays: [2027-01-01/2027-01-03, 2027-02-05/2027-02-11, 2027-04-05, 2027-05-01/2027-05-05, 2027-06-09, 2027-09-15,
           2027-10-01/2027-10-07]
workdays: [2026-12-27, 2027-02-14]
"""


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-09-30", True),
        ("2026-10-01", False),
        ("2026-10-07", False),
        ("2026-10-10", True),  # a Saturday worked for the holiday
        ("2026-10-11", False),
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2004-05-08", True),
    ],
)
def test_a_published_day_is_known(day: str, worked: bool) -> None:
    assert WorkCalendar().day(date.fromisoformat(day)) == Day(worked, published=True)


@pytest.mark.parametrize(
    ("day", "worked"),
    [("2027-01-01", False), ("2027-01-04", True), ("2027-01-09", False), ("2027-10-02", False), ("2003-06-02", True)],
)
def test_a_day_nobody_published_is_supposed_and_says_so(day: str, worked: bool) -> None:
    assert WorkCalendar().day(date.fromisoformat(day)) == Day(worked, published=False)


@given(st.dates())
def test_no_day_of_any_year_is_an_error(day: date) -> None:
    assert isinstance(WorkCalendar().day(day), Day)


def test_a_year_file_stands_for_a_year_the_package_has_not_got() -> None:
    calendar = WorkCalendar([read_year(YEAR_2027, "2027.yaml")])
    assert calendar.day(date(2027, 2, 8)) == Day(worked=False, published=True)
    assert calendar.day(date(2027, 2, 14)) == Day(worked=True, published=True)
    assert calendar.day(date(2027, 3, 1)) == Day(worked=True, published=True)
    assert calendar.day(date(2028, 3, 1)) == Day(worked=True, published=False)


def test_a_year_file_reaches_into_the_december_before() -> None:
    assert not WorkCalendar().day(date(2026, 12, 27)).worked
    assert WorkCalendar([read_year(YEAR_2027, "2027.yaml")]).day(date(2026, 12, 27)).worked


def test_the_last_sixty_days_of_what_is_published_are_warned_of() -> None:
    calendar = WorkCalendar()
    assert calendar.first_unpublished(date(2026, 11, 1)) is None
    assert calendar.first_unpublished(date(2026, 11, 2)) == date(2027, 1, 1)
    assert calendar.first_unpublished(date(2026, 12, 31)) == date(2027, 1, 1)
    assert calendar.first_unpublished(date(2027, 3, 1)) == date(2027, 3, 1)
    assert WorkCalendar([read_year(YEAR_2027, "2027.yaml")]).first_unpublished(date(2026, 12, 31)) is None
    assert calendar.first_unpublished(date(2026, 10, 1), timedelta(days=92)) == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("year: 2027", "year: soon"), "'soon' is no year"),
        (("source:", "sauce:"), "exactly the fields holidays, source, workdays, year"),
        (("2027-01-01/2027-01-03, ", ""), "2027-01-01 is missing under holidays"),
        (("2027-06-09", "2027-06-31"), "there is no such date: day is out of range"),
        (("2027-06-09", "2028-06-09"), "2028-06-09 is neither in 2027 nor in the December before"),
        (("2027-06-09", "2027-06-09/2027-06-01"), "runs backward"),
        (("2027-06-09", "2027-02-14"), "2027-02-14 is both a holiday and worked"),
        (("2026-12-27, 2027-02-14", "2027-02-15"), "2027-02-15 under workdays is no weekend day"),
        (("workdays: [2026-12-27, 2027-02-14]", "workdays:"), "workdays must be a list"),
        (("holidays: [", "holidays: [[["), "is not YAML"),
    ],
)
def test_a_slip_in_a_year_file_is_one_sentence_that_names_the_file(change: tuple[str, str], told: str) -> None:
    assert change[0] in YEAR_2027
    with pytest.raises(CalendarMistake) as caught:
        read_year(YEAR_2027.replace(*change), "2027.yaml")
    assert told in str(caught.value)
    assert str(caught.value).startswith("2027.yaml")
    assert "\n" not in str(caught.value)
