"""Who is warned of a low index, and who is left in peace because too few have spoken."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.grade import Grade
from store.low_index import DEFAULT_WEIGHTS, Limits, index, low, month_before

COUNTS = st.dictionaries(st.sampled_from(Grade), st.integers(0, 1000))


def test_the_index_is_the_weighted_mean_of_the_grades() -> None:
    assert index({Grade.VERY_SATISFIED: 3, Grade.VERY_DISSATISFIED: 1}) == 75.0
    assert index({Grade.SATISFIED: 1, Grade.DISSATISFIED: 2}) == 41.67
    assert index({Grade.SATISFIED: 1}, {**DEFAULT_WEIGHTS, Grade.SATISFIED: 80.0}) == 80.0


def test_nobody_has_an_index_without_an_evaluation() -> None:
    assert index({}) is None
    assert index({Grade.SATISFIED: 0}) is None


@given(COUNTS)
def test_the_index_lies_between_nothing_and_a_hundred(counts: dict[Grade, int]) -> None:
    value = index(counts)
    assert value is None or 0 <= value <= 100


def test_those_below_the_threshold_are_named_lowest_first_and_small_ones_not_at_all() -> None:
    bad, worse = {Grade.DISSATISFIED: 40}, {Grade.VERY_DISSATISFIED: 30}
    departments = {
        "住建局": bad,
        "公安局": worse,
        "小单位": {Grade.VERY_DISSATISFIED: 29},
        "税务局": {Grade.SATISFIED: 99},
    }
    found = low(departments, Limits(60.0, 30))
    assert [(each.department, each.index, each.count) for each in found] == [("公安局", 0.0, 30), ("住建局", 25.0, 40)]


def test_an_index_at_the_threshold_is_not_below_it() -> None:
    assert low({"x": {Grade.BASICALLY_SATISFIED: 50}}, Limits(50.0, 1)) == []
    assert len(low({"x": {Grade.BASICALLY_SATISFIED: 50}}, Limits(50.01, 1))) == 1


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (datetime(2026, 11, 22, tzinfo=UTC), date(2026, 10, 1), date(2026, 10, 31)),
        (datetime(2027, 1, 31, 15, 59, tzinfo=UTC), date(2026, 12, 1), date(2026, 12, 31)),
        (datetime(2027, 1, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1), date(2027, 1, 31)),
        (datetime(2028, 3, 1, tzinfo=UTC), date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_the_month_before_is_the_last_civil_one_that_is_over(now: datetime, first: date, last: date) -> None:
    period = month_before(now)
    assert (period.first, period.last) == (first, last)
    assert period.ends.astimezone(UTC) <= now
    assert (period.ends - period.begins).days == last.day
