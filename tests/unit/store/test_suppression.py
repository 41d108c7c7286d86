"""An attacker with linear programming and everything printed learns of no small count that it is small."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from store.suppression import Cell, Table, protect, small, with_totals

CATEGORIES = ("very_satisfied", "satisfied", "dissatisfied", "silent")
Counts = dict[tuple[str, str], int]


def attack(printed: Mapping[Cell, int | None], wanted: Cell) -> tuple[float, float]:
    """Give the range a hidden cell must lie in: totals add up, and as zeros are printed it is 1 or more."""
    cells = list(printed)
    place = {cell: index for index, cell in enumerate(cells)}
    departments = [d for d in dict.fromkeys(cell[0] for cell in cells) if d is not None]
    categories = [c for c in dict.fromkeys(cell[1] for cell in cells) if c is not None]
    sums = [[(d, c) for c in categories] + [(d, None)] for d in (*departments, None)]
    sums += [[(d, c) for d in departments] + [(None, c)] for c in (*categories, None)]
    equations = np.zeros((len(sums), len(cells)))
    for row, members in enumerate(sums):
        for cell in members[:-1]:
            equations[row, place[cell]] = 1
        equations[row, place[members[-1]]] = -1
    bounds = [(1, None) if value is None else (value, value) for value in printed.values()]
    ends = []
    for sign in (+1, -1):
        goal = np.zeros(len(cells))
        goal[place[wanted]] = sign
        solved = linprog(goal, A_eq=equations, b_eq=np.zeros(len(sums)), bounds=bounds)
        assert solved.status in (0, 3), solved.message
        ends.append(float("inf") if solved.status == 3 else sign * solved.fun)
    return ends[0], ends[1]


def confined(ends: tuple[float, float]) -> bool:
    """Whether an attacker knows the count to be one of 1-10 (hence also if it is known exactly)."""
    return ends[1] < 10.5


def beaten(table: Table, cells: Mapping[Cell, int]) -> list[Cell]:
    return [cell for cell, value in cells.items() if small(value) and confined(attack(table.cells, cell))]


TABLES = st.dictionaries(
    st.tuples(st.sampled_from(["civil_affairs", "housing", "transport", "water"]), st.sampled_from(CATEGORIES)),
    st.one_of(st.integers(0, 12), st.integers(0, 400)),
    min_size=1,
)


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_no_small_count_is_printed_nor_confined_by_what_is_printed(counts: Counts) -> None:
    cells = with_totals(counts, CATEGORIES)
    table = protect(counts, CATEGORIES)
    assert not [cell for cell, value in table.cells.items() if value is not None and small(value)]
    assert all(value is None or value == cells[cell] for cell, value in table.cells.items())
    assert beaten(table, cells) == []


@settings(max_examples=60, deadline=None)
@given(TABLES)
def test_a_small_count_could_be_larger_by_ten(counts: Counts) -> None:
    cells = with_totals(counts, CATEGORIES)
    table = protect(counts, CATEGORIES)
    for cell, value in cells.items():
        if small(value):
            low, high = attack(table.cells, cell)
            assert low - 1e-6 <= value
            assert value + 10 - 1e-6 <= high


ORDINARY: Counts = {
    (department, category): count
    for department, counts in {
        "civil_affairs": (120, 60, 4, 200),
        "housing": (300, 90, 31, 500),
        "transport": (80, 40, 22, 150),
        "water": (45, 25, 14, 90),
    }.items()
    for category, count in zip(CATEGORIES, counts, strict=True)
}


def test_hiding_the_small_counts_alone_is_broken_by_the_attack() -> None:
    """The attack has teeth: without complementary suppression it finds the count itself."""
    cells = with_totals(ORDINARY, CATEGORIES)
    naive = Table((), CATEGORIES, {cell: None if small(value) else value for cell, value in cells.items()})
    assert beaten(naive, cells) == [("civil_affairs", "dissatisfied")]
    assert attack(naive.cells, ("civil_affairs", "dissatisfied")) == pytest.approx((4, 4))


def test_one_small_count_costs_three_further_cells_and_no_total() -> None:
    table = protect(ORDINARY, CATEGORIES)
    hidden = [cell for cell, value in table.cells.items() if value is None]
    assert len(hidden) == 4
    assert all(None not in cell for cell in hidden)


def test_a_table_without_small_counts_is_printed_whole() -> None:
    counts = {key: 11 * value for key, value in ORDINARY.items()} | {("water", "silent"): 0}
    assert None not in protect(counts, CATEGORIES).cells.values()


def test_two_small_counts_that_hide_each_other_badly_are_hidden_better() -> None:
    """A total of 5 over two hidden cells confines both: being hidden together is not being hidden."""
    counts = {("housing", "satisfied"): 2, ("housing", "dissatisfied"): 3, ("water", "satisfied"): 300,
              ("water", "dissatisfied"): 200}  # fmt: skip
    table = protect(counts, CATEGORIES)
    assert table.cells["housing", None] is None
    assert beaten(table, with_totals(counts, CATEGORIES)) == []


def test_a_month_with_one_evaluation_prints_no_count_but_zeros() -> None:
    table = protect({("housing", "satisfied"): 1}, CATEGORIES)
    assert {value for value in table.cells.values() if value is not None} == {0}


def test_nothing_counted_is_an_empty_table_of_zeros() -> None:
    table = protect({}, CATEGORIES)
    assert table.departments == ()
    assert set(table.cells.values()) == {0}
