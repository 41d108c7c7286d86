"""Every date a citizen or a department may hold against us."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_calendar import YEAR_2027

from store.calendar import WorkCalendar, read_year
from store.contact import CIVIL_TIME
from store.deadline import call_back_due, deemed_due, objection_until, rectify_due, working_days

MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  zone given
TODAY = WorkCalendar()
WITH_2027 = WorkCalendar([read_year(YEAR_2027, "2027.yaml")])


def civil(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CIVIL_TIME)


def last_moment(day: str) -> datetime:
    return civil(f"{day}T23:59:59.999999")


@pytest.mark.parametrize(
    ("received", "until"),
    [
        ("2026-09-30", "2026-10-09"),
        ("2026-10-09", "2026-10-12"),  # 10-10 is a worked Saturday
        ("2026-02-13", "2026-02-24"),  # 02-14 is worked
        ("2026-10-03", "2026-10-09"),  # received on a holiday
        ("2026-11-20", "2026-11-24"),  # over an ordinary weekend
    ],
)
@pytest.mark.parametrize("hour", ["00:00", "12:00", "23:59"])
def test_an_objection_may_be_made_until_the_end_of_the_second_working_day(received: str, until: str, hour: str) -> None:
    deadline = objection_until(civil(f"{received}T{hour}"), TODAY)
    assert (deadline.at, deadline.provisional) == (last_moment(until), False)


def test_a_deadline_that_needs_a_year_nobody_published_is_provisional_and_settles_with_the_year_file() -> None:
    received = civil("2026-12-30T10:00")
    guessed = objection_until(received, TODAY)
    assert (guessed.at, guessed.provisional) == (last_moment("2027-01-04"), True)
    settled = objection_until(received, WITH_2027)
    assert (settled.at, settled.provisional) == (last_moment("2027-01-04"), False)


def test_a_year_file_may_move_a_provisional_deadline() -> None:
    received = civil("2027-02-04T10:00")
    assert objection_until(received, TODAY).at == last_moment("2027-02-08")
    assert objection_until(received, WITH_2027).at == last_moment(
        "2027-02-14"
    )  # after the festival, a worked Sunday...
    assert working_days(received, 1, WITH_2027).at == last_moment("2027-02-12")


def test_the_day_of_receipt_is_the_civil_one() -> None:
    still_thursday = datetime(2026, 10, 8, 15, 59, 59, tzinfo=UTC)
    assert objection_until(still_thursday, TODAY).at == last_moment("2026-10-10")
    assert objection_until(still_thursday + timedelta(seconds=1), TODAY).at == last_moment("2026-10-12")


def test_fifteen_days_are_natural_days_without_the_first() -> None:
    assert rectify_due(civil("2026-09-20T16:30")).at == last_moment("2026-10-05")


def test_a_last_day_on_a_holiday_rolls_forward_only_where_that_is_asked_for() -> None:
    assert rectify_due(civil("2026-09-20T16:30"), roll=TODAY).at == last_moment("2026-10-08")
    assert rectify_due(civil("2026-09-25T16:30"), roll=TODAY).at == last_moment("2026-10-10")  # a worked Saturday
    assert deemed_due(civil("2026-09-24T16:30"), roll=TODAY).at == last_moment("2026-10-08")
    rolled = rectify_due(civil("2026-12-17T08:00"), roll=TODAY)
    assert (rolled.at, rolled.provisional) == (last_moment("2027-01-04"), True)
    assert not rectify_due(civil("2026-12-17T08:00")).provisional


def test_forty_eight_hours_are_hours() -> None:
    assert call_back_due(civil("2026-09-30T10:00:00.5")).at == civil("2026-10-02T10:00:00.5")


def test_seven_days_end_with_the_seventh_day() -> None:
    assert deemed_due(civil("2026-11-22T00:00")).at == last_moment("2026-11-29")
    assert deemed_due(civil("2026-11-22T23:59")).at == last_moment("2026-11-29")


@given(MOMENTS)
def test_deadlines_lie_ahead_in_utc_and_in_their_order(at: datetime) -> None:
    deadlines = [call_back_due(at), deemed_due(at), rectify_due(at), objection_until(at, TODAY)]
    assert all(deadline.at > at and deadline.at.tzinfo is UTC for deadline in deadlines)
    assert deadlines[0].at < deadlines[1].at < deadlines[2].at


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_whoever_receives_later_is_never_due_earlier(at: datetime, later: timedelta) -> None:
    for due in (call_back_due, rectify_due, deemed_due, lambda at: objection_until(at, WITH_2027)):
        assert due(at).at <= due(at + later).at


@given(MOMENTS, st.integers(1, 10))
def test_exactly_so_many_worked_days_lie_within_a_deadline(at: datetime, count: int) -> None:
    until = working_days(at, count, TODAY).at.astimezone(CIVIL_TIME).date()
    first = at.astimezone(CIVIL_TIME).date() + timedelta(days=1)
    days = [first + timedelta(days=ahead) for ahead in range((until - first).days + 1)]
    assert sum(TODAY.day(day).worked for day in days) == count
    assert TODAY.day(until).worked


@given(MOMENTS.filter(lambda at: at.astimezone(CIVIL_TIME).date() < date(2026, 11, 1)), st.integers(1, 5))
def test_what_rests_on_published_days_alone_is_not_provisional(at: datetime, count: int) -> None:
    assert not working_days(at, count, TODAY).provisional
