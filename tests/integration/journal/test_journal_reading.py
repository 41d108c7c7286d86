"""Reading while another writes: durable records only, in order, damage named, acknowledged once and for all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ivr.journal import Damage, Entry, Journal, JournalFailed, JournalLocked, JournalReader, Position
from ivr.journal.acknowledgement import read_position
from ivr.journal.segment import segment_numbers, segment_path

WRITER = Path(__file__).with_name("journal_writer_process.py")
SIZES = {"max_bytes": 1 << 20, "segment_bytes": 8192, "reserve_bytes": 4096}


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path, **SIZES)
    journal.open()
    yield journal
    journal.close()


@pytest.fixture
def reader(tmp_path):
    reader = JournalReader(tmp_path)
    yield reader
    reader.close()


def write(journal: Journal, count: int) -> list[Position]:
    futures = [journal.append(b'{"n":%d,"room":"%s"}' % (n, b"x" * 80)) for n in range(count)]
    return [future.result() for future in futures]


def test_records_come_back_in_order_over_many_segments(journal, reader):
    positions = write(journal, 500)
    assert positions == sorted(set(positions))
    read = list(reader.read())
    assert [position for position, _ in read] == positions
    assert [json.loads(payload)["n"] for _, payload in read] == list(range(500))
    assert len(segment_numbers(journal.folder)) > 4


def test_a_reader_goes_on_where_it_was(journal, reader):
    positions = write(journal, 200)
    assert [position for position, _ in reader.read(positions[120])] == positions[121:]
    assert list(reader.read(positions[-1])) == []


def test_another_process_reads_every_record_while_it_is_written(tmp_path, reader):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen([sys.executable, WRITER, tmp_path, "0"], stdout=subprocess.PIPE, env=environment) as writer:
        assert writer.stdout.readline()
        reader.open()
        seen, at = [], Position(0, 0)
        while len(seen) < 3000:
            for entry in reader.entries(at):
                assert isinstance(entry, Entry), entry
                seen.append(json.loads(entry.payload)["n"])
                at = entry.after
            reader.acknowledge(at)
            writer.stdout.read1(65536)
        writer.kill()
    assert seen == list(range(len(seen)))


def test_what_is_acknowledged_is_not_read_again_and_its_segments_go(journal, tmp_path):
    positions = write(journal, 500)
    first = JournalReader(tmp_path, keep_segments=1)
    first.open()
    first.acknowledge(positions[300])
    first.acknowledge(positions[200])  # never goes back
    first.close()
    second = JournalReader(tmp_path)
    assert second.acknowledged() == positions[300]
    assert [position for position, _ in second.read()] == positions[301:]
    assert segment_numbers(tmp_path)[0] == positions[300].segment - 1


def test_two_writers_are_refused_with_the_number_of_the_first(journal, tmp_path):
    with pytest.raises(JournalLocked, match=f"already being written by process {os.getpid()}"):
        Journal(tmp_path, **SIZES).open()
    assert journal.append(b"still writing").result()


def test_two_readers_that_acknowledge_are_refused(journal, reader, tmp_path):
    reader.open()
    with pytest.raises(JournalLocked, match=f"already being delivered by process {os.getpid()}"):
        JournalReader(tmp_path).open()


def test_only_the_reader_that_holds_the_folder_acknowledges(journal, reader):
    (position,) = write(journal, 1)
    with pytest.raises(RuntimeError, match="open the reader"):
        reader.acknowledge(position)


def test_a_flipped_bit_in_an_old_segment_is_named_and_the_rest_is_read(journal, reader):
    positions = write(journal, 300)
    hurt = positions[40]
    path = segment_path(journal.folder, hurt.segment)
    raw = bytearray(path.read_bytes())
    raw[hurt.offset - 10] ^= 4
    path.write_bytes(raw)
    entries = list(reader.entries())
    (damage,) = [entry for entry in entries if isinstance(entry, Damage)]
    assert damage.after == hurt
    assert "checksum" in damage.reason
    assert len(entries) == 300


def test_a_hurt_first_line_costs_no_record(journal, reader):
    write(journal, 300)
    path = segment_path(journal.folder, 2)
    raw = path.read_bytes()
    path.write_bytes(b"\xff" + raw[1:])
    entries = list(reader.entries())
    assert len([entry for entry in entries if isinstance(entry, Entry)]) == 300
    assert [entry.before for entry in entries if isinstance(entry, Damage)] == [Position(2, 0)]


def test_a_segment_cut_short_or_missing_is_named(journal, reader):
    positions = write(journal, 300)
    short = segment_path(journal.folder, 2)
    short.write_bytes(short.read_bytes()[:1000])
    segment_path(journal.folder, 3).unlink()
    reasons = [entry.reason for entry in reader.entries() if isinstance(entry, Damage)]
    assert "segments are missing" in reasons
    assert [position for position, _ in reader.read()][-1] == positions[-1]


def test_records_written_to_the_file_but_not_yet_durable_are_not_shown(tmp_path, reader):
    shown_before_sync = []

    def sync(descriptor: int) -> None:
        shown_before_sync.append([payload for _, payload in reader.read(Position(0, 0))])
        os.fdatasync(descriptor)

    journal = Journal(tmp_path, **SIZES, sync=sync)
    journal.open()
    journal.append(b"first").result()
    journal.append(b"second").result()
    assert shown_before_sync[1:] == [[], [b"first"]]
    journal.close()


def test_a_restarted_writer_begins_a_segment_of_its_own(tmp_path, reader):
    for round_ in range(4):
        journal = Journal(tmp_path, **SIZES)
        journal.open()
        assert journal.append(b"round %d" % round_).result().segment == round_ + 1
        journal.close()
    assert [payload for _, payload in reader.read()] == [b"round %d" % n for n in range(4)]


def test_positions_grow_even_when_every_segment_was_delivered_and_deleted(tmp_path):
    last = Position(0, 0)
    for _ in range(3):
        journal = Journal(tmp_path, **SIZES)
        journal.open()
        position = write(journal, 100)[-1]
        assert position > last
        last = position
        journal.close()
        reader = JournalReader(tmp_path, keep_segments=0)
        reader.open()
        assert len(list(reader.read())) == 100
        reader.acknowledge(position)
        reader.close()


@pytest.mark.parametrize("content", [b"", b"000000000001 00", b"garbage\n", b"000000000001 000000000009 00000000\n"])
def test_a_half_written_position_is_no_position(tmp_path, content):
    path = tmp_path / "acknowledged"
    path.write_bytes(content)
    assert read_position(path) is None


def test_a_closed_journal_takes_nothing_and_lets_the_next_one_in(tmp_path):
    journal = Journal(tmp_path, **SIZES)
    journal.open()
    future = journal.append(b"last")
    journal.close()
    journal.close()
    assert future.result()
    with pytest.raises(JournalFailed, match="closed"):
        journal.append(b"too late")


def test_a_record_too_long_for_a_segment_is_refused_at_the_door(journal):
    with pytest.raises(ValueError, match="too long"):
        journal.append(b"x" * 9000)


def test_nobody_else_can_read_the_files(journal, reader, tmp_path):
    positions = write(journal, 300)
    reader.open()
    reader.acknowledge(positions[100])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
