"""Operators are compared on the same mix of work, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from store.case_mix import Standing, Stands, Stratum, standings


def by_name(*strata: Stratum, smallest: int = 1) -> dict[str, Standing]:
    return {standing.operator: standing for standing in standings(strata, smallest=smallest)}


def test_who_gets_the_hard_matters_is_measured_by_hard_matters() -> None:
    # in both kinds of work Li is better than Wang, and yet has the lower rate of the two (Simpson)
    found = by_name(
        Stratum("Li", "noise", 60, 100),
        Stratum("Li", "pensions", 19, 20),
        Stratum("Wang", "noise", 10, 20),
        Stratum("Wang", "pensions", 90, 100),
    )
    li, wang = found["Li"], found["Wang"]
    assert li.rate is not None
    assert wang.rate is not None
    assert li.rate < wang.rate
    assert li.expected == (100 * (10 / 20) + 20 * (90 / 100)) / 120
    assert li.difference is not None
    assert li.difference > 0
    assert wang.difference is not None
    assert wang.difference < 0


def test_under_the_smallest_number_an_operator_has_no_rate() -> None:
    found = by_name(Stratum("Li", "a", 29, 29), Stratum("Wang", "a", 20, 30), smallest=30)
    assert found["Li"] == Standing("Li", 29, 29, None, None, None, None)
    assert found["Li"].difference is None
    assert found["Wang"].rate == 20 / 30


def test_work_that_nobody_else_did_is_counted_and_not_compared() -> None:
    found = by_name(Stratum("Li", "alone", 0, 50), Stratum("Li", "a", 40, 40), Stratum("Wang", "a", 30, 40))
    assert (found["Li"].of, found["Li"].compared, found["Li"].rate) == (90, 40, 1.0)
    assert found["Li"].expected == 0.75


def test_a_pattern_is_named_only_outside_the_doubt() -> None:
    found = by_name(Stratum("Li", "a", 50, 100), Stratum("Wang", "a", 99, 100), Stratum("Wu", "a", 75, 100))
    assert found["Li"].stands is Stands.BELOW
    assert found["Wang"].stands is Stands.ABOVE
    assert found["Wu"].stands is Stands.AS_EXPECTED


def test_the_list_is_no_ranking() -> None:
    assert list(by_name(Stratum("b", 1, 1, 1), Stratum("a", 1, 0, 1), Stratum("c", 1, 0, 1))) == ["a", "b", "c"]


STRATA = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 40), st.integers(0, 40)).map(
        lambda parts: Stratum(parts[0], parts[1], parts[2], parts[2] + parts[3])
    )
)


@given(STRATA)
def test_no_mix_of_work_breaks_it_or_loses_a_row(strata: list[Stratum]) -> None:
    found = standings(strata, smallest=1)
    assert sum(standing.of for standing in found) == sum(stratum.of for stratum in strata)
    for standing in found:
        assert 0 <= standing.compared <= standing.of
        assert (standing.rate is None) == (standing.compared == 0)
        if standing.expected is not None:
            assert 0 <= standing.expected <= 1
