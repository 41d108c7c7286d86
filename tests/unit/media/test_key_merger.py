"""One press by two ways within 300 ms is one key; two presses stay two."""

import pytest

from ivr.media.key_merger import KeyMerger


def accepted(*heard) -> str:
    merger = KeyMerger()
    return "".join(key for key, way, at in heard if merger.accept(key, way, at))


@pytest.mark.parametrize(("first", "second"), [("rfc4733", "info"), ("info", "rfc4733"), ("inband", "rfc4733")])
@pytest.mark.parametrize("apart", [0.0, 0.1, 0.3])
def test_two_ways_within_300_ms_are_one_key(first, second, apart):
    assert accepted(("2", first, 5.0), ("2", second, 5.0 + apart)) == "2"


def test_later_than_300_ms_it_is_another_press():
    assert accepted(("2", "rfc4733", 5.0), ("2", "info", 5.31)) == "22"


def test_three_ways_are_one_key():
    assert accepted(("2", "inband", 5.0), ("2", "rfc4733", 5.05), ("2", "info", 5.1)) == "2"


def test_one_way_twice_is_two_presses_however_quick():
    assert accepted(("2", "rfc4733", 5.0), ("2", "rfc4733", 5.08)) == "22"


def test_two_quick_presses_each_heard_twice_stay_two():
    assert accepted(("2", "rfc4733", 5.0), ("2", "info", 5.01), ("2", "rfc4733", 5.2), ("2", "info", 5.21)) == "22"
    assert accepted(("2", "rfc4733", 5.0), ("2", "rfc4733", 5.2), ("2", "info", 5.21), ("2", "info", 5.25)) == "22"


def test_different_keys_are_never_merged():
    assert accepted(("2", "rfc4733", 5.0), ("3", "info", 5.0), ("2", "info", 5.1), ("3", "rfc4733", 5.1)) == "23"


def test_only_the_last_300_ms_are_remembered():
    merger = KeyMerger()
    for press in range(1000):
        merger.accept("1", "rfc4733", press * 0.1)
    assert len(merger._recent) <= 4
