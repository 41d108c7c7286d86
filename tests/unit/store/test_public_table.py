"""What everybody sees of a month gives away no small count, by no arithmetic over all that is printed."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.public_table import CATEGORIES, Cases, due, printed

ORDINARY = (120, 60, 30, 14, 12, 0, 200, 40)


def table(*rows: tuple[int, ...], bad: tuple[int, int, int] = (50, 30, 20)) -> dict[str, Any]:
    counts = {
        (f"d{place}", category): count
        for place, row in enumerate(rows)
        for category, count in zip(CATEGORIES, row, strict=True)
    }
    return printed(counts, dict(zip(Cases, bad, strict=True)))


def numbers(value: object) -> list[int]:
    """Every count in what is printed; the rates are floats."""
    match value:
        case bool() | None:
            return []
        case int():
            return [value]
        case dict():
            return [number for each in value.values() for number in numbers(each)]
        case list():
            return [number for each in value for number in numbers(each)]
        case _:
            return []


ROWS = st.lists(st.tuples(*[st.integers(0, 40) for _ in CATEGORIES]), max_size=4)


@settings(max_examples=50, deadline=None)
@given(ROWS, st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)).map(sorted))
def test_no_printed_number_is_from_1_to_10(rows: list[tuple[int, ...]], bad: list[int]) -> None:
    found = table(*rows, bad=(bad[2], bad[1], bad[0]))
    assert [number for number in numbers(found) if 1 <= number <= 10] == []


def test_a_month_of_large_counts_is_printed_whole_with_its_rates() -> None:
    found = table(ORDINARY, ORDINARY)
    line = found["departments"][0]
    assert line["counts"]["dissatisfied"] == 14
    assert line["total"] == sum(ORDINARY)
    assert line["good_rate"]["value"] == round(210 / 236, 4)
    assert found["all"]["total"] == 2 * sum(ORDINARY)
    assert found["bad_cases"] == {"bad": 50, "called_back_in_time": 30, "rectified_in_time": 20}


def test_a_rate_is_not_printed_over_a_hidden_grade() -> None:
    found = table((120, 60, 30, 4, 12, 0, 200, 40), ORDINARY)
    line = found["departments"][0]
    assert line["counts"]["dissatisfied"] is None
    assert line["good_rate"] is None


@pytest.mark.parametrize(
    ("bad", "printed_numbers"),
    [
        ((50, 45, 20), (50, None, 20)),  # 5 were not called back in time
        ((50, 50, 0), (50, 50, 0)),
        ((9, 9, 0), (None, None, None)),
        ((50, 3, 50), (50, None, 50)),
    ],
)
def test_what_was_done_about_bad_ones_hides_its_remainders_too(
    bad: tuple[int, int, int], printed_numbers: tuple[int | None, ...]
) -> None:
    assert tuple(table(ORDINARY, ORDINARY, bad=bad)["bad_cases"].values()) == printed_numbers


def test_the_sum_of_two_totals_is_not_printed_beside_one_of_them() -> None:
    found = table((120, 60, 30, 30, 4, 0, 200, 40))
    assert found["all"]["counts"]["very_dissatisfied"] is None
    assert found["bad_cases"]["bad"] is None


@pytest.mark.parametrize(
    ("today", "days", "is_due"),
    [("2026-11-30", 0, False), ("2026-12-01", 0, True), ("2026-12-20", 20, False), ("2026-12-21", 20, True)],
)
def test_a_month_is_due_when_it_is_over_and_settled(today: str, days: int, is_due: bool) -> None:
    assert due(date(2026, 11, 1), date.fromisoformat(today), days) is is_due
