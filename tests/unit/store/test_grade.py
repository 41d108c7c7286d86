"""The two opposite digit codes never meet without being named."""

import pytest

from store.grade import Grade

TABLE = [
    (Grade.VERY_SATISFIED, "very_satisfied", 5, 1),
    (Grade.SATISFIED, "satisfied", 4, 2),
    (Grade.BASICALLY_SATISFIED, "basically_satisfied", 3, 3),
    (Grade.DISSATISFIED, "dissatisfied", 2, 4),
    (Grade.VERY_DISSATISFIED, "very_dissatisfied", 1, 5),
]


@pytest.mark.parametrize(("grade", "name", "stars", "gb_code"), TABLE)
def test_stars_and_the_national_code_run_in_opposite_directions(
    grade: Grade, name: str, stars: int, gb_code: int
) -> None:
    assert (grade.value, grade.stars, grade.gb_code) == (name, stars, gb_code)
    assert Grade.from_stars(stars) is grade
    assert Grade.from_gb_code(gb_code) is grade


def test_one_digit_is_the_best_in_one_code_and_the_worst_in_the_other() -> None:
    assert Grade.from_gb_code(1) is Grade.VERY_SATISFIED
    assert Grade.from_stars(1) is Grade.VERY_DISSATISFIED


def test_a_bare_digit_is_no_grade() -> None:
    for digit in ("1", "5", 1, 5):
        with pytest.raises(ValueError):
            Grade(digit)


@pytest.mark.parametrize("number", [-1, 0, 6])
def test_a_number_outside_both_codes_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        Grade.from_stars(number)
    with pytest.raises(ValueError, match="1 to 5"):
        Grade.from_gb_code(number)


def test_only_the_two_lowest_grades_are_bad() -> None:
    assert [grade for grade in Grade if grade.bad] == [Grade.DISSATISFIED, Grade.VERY_DISSATISFIED]
