"""The standard's figures, against values worked out by hand."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.grade import Grade
from store.interval import Interval, mean, silence, wilson
from store.rates import DEFINITIONS, Figure, Reading, Tally, bad, good, readings

# 240 owed, 200 asked, 100 answered; 5 of the answers were later found malicious
TALLY = Tally(
    owed=240,
    asked=200,
    rated=100,
    given={
        Grade.VERY_SATISFIED: 50,
        Grade.SATISFIED: 20,
        Grade.BASICALLY_SATISFIED: 10,
        Grade.DISSATISFIED: 10,
        Grade.VERY_DISSATISFIED: 5,
    },
    not_adopted={Grade.VERY_DISSATISFIED: 5},
    deemed={Grade.BASICALLY_SATISFIED: 100},
    follow_ups={Grade.SATISFIED: 3},
    call_backs_due=20,
    called_back_in_time=18,
    rectifications_due=8,
    rectified_in_time=6,
)


def figures(tally: Tally, **options: object) -> dict[Figure, Reading]:
    return {reading.figure: reading for reading in readings(tally, **options)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figure", "hits", "of", "value"),
    [
        (Figure.PARTICIPATION, 100, 240, 0.4166667),
        (Figure.ASKED, 200, 240, 0.8333333),
        (Figure.RESPONSE, 100, 200, 0.5),
        (Figure.GOOD, 80, 95, 0.8421053),
        (Figure.GOOD_WITH_DEEMED, 180, 195, 0.9230769),
        (Figure.GOOD_BEFORE_REVIEW, 80, 100, 0.8),
        (Figure.BAD, 15, 95, 0.1578947),
        (Figure.CALLED_BACK, 18, 20, 0.9),
        (Figure.RECTIFIED, 6, 8, 0.75),
    ],
)
def test_each_rate_is_what_the_definition_says(figure: Figure, hits: int, of: int, value: float) -> None:
    reading = figures(TALLY)[figure]
    assert (reading.hits, reading.of) == (hits, of)
    assert reading.value == pytest.approx(value, abs=1e-6)


def test_the_index_is_the_mean_of_the_weights_of_valid_given_evaluations() -> None:
    reading = figures(TALLY)[Figure.INDEX]
    assert reading.value == pytest.approx((50 * 100 + 20 * 75 + 10 * 50 + 10 * 25 + 5 * 0) / 95)
    assert reading.doubt is not None
    # 643750 - 7250 * 7250 / 95 = 90460.53 is the sum of squares; over 94, over 95: 1.96 standard errors are 6.2381
    assert reading.value - reading.doubt.low == pytest.approx(6.2381, abs=0.0001)


def test_the_weights_of_the_index_are_a_setting() -> None:
    only_best = {grade: 1.0 if grade is Grade.VERY_SATISFIED else 0.0 for grade in Grade}
    assert figures(TALLY, weights=only_best)[Figure.INDEX].value == pytest.approx(50 / 95)


def test_silence_widens_the_good_rate_to_everything_the_silent_might_have_said() -> None:
    unheard = figures(TALLY)[Figure.GOOD].silence
    assert unheard == Interval(80 / 235, 220 / 235)  # 240 owed less 100 rated: 140 never heard
    assert figures(TALLY)[Figure.PARTICIPATION].silence is None


def test_by_channel_nobody_knows_who_kept_silent() -> None:
    assert figures(Tally(given={Grade.SATISFIED: 40}))[Figure.GOOD].silence is None


def test_tallies_of_different_rows_add_up() -> None:
    twice = TALLY + TALLY
    assert twice == Tally() + twice
    assert (twice.owed, twice.given[Grade.SATISFIED], twice.rectified_in_time) == (480, 40, 12)


def test_nothing_counted_gives_no_rate_rather_than_none_or_all() -> None:
    for reading in readings(Tally()):
        assert reading.value is None
        assert reading.doubt is None
        assert reading.silence is None


def test_a_figure_over_too_few_rows_keeps_silent_and_still_says_how_few() -> None:
    reading = figures(TALLY, smallest=96)[Figure.GOOD]
    assert (reading.value, reading.doubt, reading.silence) == (None, None, None)
    assert reading.of == 95
    assert figures(TALLY, smallest=95)[Figure.GOOD].value is not None


def test_no_variant_tells_what_the_rate_keeps_silent_about() -> None:
    found = figures(TALLY, smallest=96)
    for figure in (Figure.GOOD, Figure.GOOD_WITH_DEEMED, Figure.GOOD_BEFORE_REVIEW, Figure.BAD, Figure.INDEX):
        assert found[figure].value is None
    assert found[Figure.PARTICIPATION].value is not None


def test_the_deemed_alone_have_a_rate_where_nobody_is_judged() -> None:
    assert figures(Tally(deemed={Grade.BASICALLY_SATISFIED: 3}))[Figure.GOOD_WITH_DEEMED].value == 1.0


def test_every_figure_has_its_definition_in_both_languages() -> None:
    assert set(DEFINITIONS) == set(Figure)
    for definition in DEFINITIONS.values():
        assert definition.zh
        assert definition.en
        assert definition.name_zh
        assert definition.en.isprintable()


def test_the_three_upper_grades_are_good_and_the_two_lower_bad() -> None:
    assert good(dict.fromkeys(Grade, 1)) == 3
    assert bad(dict.fromkeys(Grade, 1)) == 2


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_agrees_with_the_published_table(hits: int, of: int, low: float, high: float) -> None:
    found = wilson(hits, of)
    assert found is not None
    assert found.low == pytest.approx(low, abs=6e-5)
    assert found.high == pytest.approx(high, abs=6e-5)


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_bounds_solve_the_score_equation(case: tuple[int, int]) -> None:
    hits, of = case
    found = wilson(hits, of)
    assert found is not None
    assert 0 <= found.low <= hits / of <= found.high <= 1
    for bound, closed in ((found.low, hits == 0), (found.high, hits == of)):
        if not closed:
            z_squared = (hits / of - bound) ** 2 * of / (bound * (1 - bound))
            assert isclose(z_squared, 3.841458820694124, rel_tol=1e-6)


def test_a_share_of_nothing_or_of_less_than_itself_is_none() -> None:
    assert wilson(0, 0) is None
    assert silence(0, 0, 0) is None
    assert mean({1.0: 0}) is None
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


def test_one_row_says_nothing_of_the_spread() -> None:
    assert mean({100.0: 1, 20.0: 0}) == (100.0, Interval(20.0, 100.0))
