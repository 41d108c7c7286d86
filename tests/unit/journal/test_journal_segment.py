"""The line form of the journal: what was written is found, what was hurt is named, nothing is made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.journal.segment import Damage, Entry, Header, Position, decode, encode, parse_header, split

START = Position(3, 0)
payloads = st.binary(min_size=1, max_size=60).map(lambda raw: raw.replace(b"\n", b"."))


def found(data: bytes) -> list[bytes]:
    return [entry.payload for entry in split(data, START) if isinstance(entry, Entry)]


@given(payloads)
def test_a_record_reads_back_as_it_was_written(payload):
    assert decode(encode(payload)[:-1]) == payload


@pytest.mark.parametrize("payload", [b"", b"two\nlines", b"x" * 65537])
def test_what_is_not_one_line_is_refused(payload):
    with pytest.raises(ValueError, match="one line"):
        encode(payload)


@given(st.lists(payloads, max_size=6), st.data())
def test_cut_anywhere_the_whole_records_before_the_cut_remain_and_no_other(records, data):
    lines = [encode(record) for record in records]
    cut = data.draw(st.integers(0, sum(map(len, lines))))
    whole, at = [], 0
    for record, line in zip(records, lines, strict=True):
        at += len(line)
        if at <= cut:
            whole.append(record)
    assert found(b"".join(lines)[:cut]) == whole


@given(st.lists(payloads, min_size=1, max_size=6), st.data())
def test_one_flipped_bit_costs_at_most_its_own_record_and_is_named(records, data):
    whole = bytearray(b"".join(encode(record) for record in records))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    entries = list(split(bytes(whole), START))
    kept = [entry.payload for entry in entries if isinstance(entry, Entry)]
    damaged = [entry for entry in entries if isinstance(entry, Damage)]
    assert len(kept) >= len(records) - 1
    assert len(kept) == len(records) or damaged
    remaining = iter(records)
    assert all(payload in remaining for payload in kept), "the order is kept and nothing is invented"


@given(st.lists(payloads, min_size=3, max_size=6), st.data())
def test_a_zeroed_stretch_is_named_and_what_follows_it_is_found(records, data):
    lines = [encode(record) for record in records]
    whole = b"".join(lines)
    first = data.draw(st.integers(0, len(whole) - len(lines[-1]) - 2))
    last = data.draw(st.integers(first + 1, len(whole) - len(lines[-1]) - 1))
    hurt = whole[:first] + bytes(last - first) + whole[last:]
    entries = list(split(hurt, START))
    kept = [entry.payload for entry in entries if isinstance(entry, Entry)]
    assert kept == records or any(isinstance(entry, Damage) for entry in entries)
    assert isinstance(entries[-1], Entry)
    assert entries[-1].payload == records[-1]


@given(st.binary(max_size=300))
def test_entries_and_damages_cover_every_byte_in_order(raw):
    at = 0
    for entry in split(raw, START):
        assert entry.before.offset == at
        at = entry.after.offset
        if isinstance(entry, Damage):
            assert entry.data == raw[entry.before.offset : entry.after.offset]
    assert at == len(raw)


def test_a_header_says_where_the_segment_before_ended():
    assert parse_header(Header(7, 4096).payload()) == Header(7, 4096)


@pytest.mark.parametrize("payload", [b"{}", b"[1]", b"null", b'{"kind":"call"}', b"not json", b'{"kind":"segment"}'])
def test_a_record_is_not_taken_for_a_header(payload):
    assert parse_header(payload) is None
