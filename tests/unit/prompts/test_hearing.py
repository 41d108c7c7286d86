"""Counting what was misheard: the alignment, and what counts as the same English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import hearing

WORDS = st.lists(st.sampled_from("abcd"), max_size=8)


@pytest.mark.parametrize(
    ("said", "heard", "places"),
    [
        ("abc", "abc", []),
        ("abc", "axc", [1]),
        ("abc", "ac", [1]),
        ("abc", "abxc", [1]),
        ("abc", "", [0, 1, 2]),
        ("abc", "xabc", [0]),
    ],
)
def test_each_error_stands_where_it_was_made(said: str, heard: str, places: list[int]) -> None:
    assert hearing.errors(list(said), list(heard)) == places


@given(WORDS, WORDS)
def test_the_number_of_errors_is_a_distance(said: list[str], heard: list[str]) -> None:
    there, back = hearing.errors(said, heard), hearing.errors(heard, said)
    assert len(there) == len(back)
    assert abs(len(said) - len(heard)) <= len(there) <= max(len(said), len(heard))
    assert (said == heard) == (not there)
    assert all(0 <= place < max(1, len(said)) for place in there)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Press 1.", ["press", "one"]),
        ("from 1-5", ["from", "one", "to", "five"]),
        ("the * key", ["the", "star", "key"]),
        ("Don’t!", ["don't"]),
    ],
)
def test_figures_and_signs_count_as_they_were_spoken(written: str, words: list[str]) -> None:
    assert hearing.units(written, "en") == words
