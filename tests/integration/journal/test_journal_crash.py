"""Whatever kills the writer, wherever: what was promised is there exactly once, and nothing half."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ivr.journal import AlarmKind, Journal, JournalReader
from ivr.journal.segment import Entry, Position, segment_path, split

SIZES = {"max_bytes": 4 << 20, "segment_bytes": 8192, "reserve_bytes": 4096}
WRITER = Path(__file__).with_name("journal_writer_process.py")


def numbers(folder: Path) -> list[int]:
    return [json.loads(payload)["n"] for _, payload in JournalReader(folder).read(Position(0, 0))]


@pytest.fixture(scope="module")
def left_open(tmp_path_factory):
    """The folder of a writer that stopped in the middle of its work, and where each record ends."""
    folder, copy = tmp_path_factory.mktemp("journal"), tmp_path_factory.mktemp("died") / "journal"
    journal = Journal(folder, **SIZES)
    journal.open()
    for n in range(5):
        journal.append(b'{"n":%d,"text":"%s"}' % (n, b"x" * n)).result()
    shutil.copytree(folder, copy)
    journal.close()
    return copy


def ends(folder: Path) -> list[int]:
    data = segment_path(folder, 1).read_bytes()
    return [e.after.offset for e in split(data, Position(1, 0)) if isinstance(e, Entry)][1:]  # but for the header


def die_at(left_open: Path, folder: Path, cut: int, tail: bytes) -> list[int]:
    """Make `folder` what a power cut leaves: the segment's first `cut` bytes, then `tail`; return what is whole."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(left_open, folder)
    path = segment_path(folder, 1)
    path.write_bytes(path.read_bytes()[:cut] + tail)
    (folder / "durable").unlink()
    return [n for n, end in enumerate(ends(left_open)) if end <= cut]


def test_cut_at_every_byte_the_next_start_finds_exactly_the_whole_records(left_open, tmp_path):
    folder = tmp_path / "journal"
    for cut in range(ends(left_open)[-1] + 1):
        whole = die_at(left_open, folder, cut, tail=bytes(512) if cut % 2 else b"")
        journal = Journal(folder, **SIZES, sync=lambda _: None)
        cuts = journal.open()
        journal.append(b'{"n":100}').result()
        journal.close()
        assert numbers(folder) == [*whole, 100], f"cut at byte {cut}"
        for torn in cuts:
            assert torn.kept_in.read_bytes() == segment_path(left_open, 1).read_bytes()[torn.at.offset : cut]


def test_half_a_write_followed_by_rubbish_is_cut_kept_and_reported(left_open, tmp_path):
    folder, chance = tmp_path / "journal", random.Random(7)
    for _ in range(30):
        cut = chance.randrange(ends(left_open)[0], ends(left_open)[-1])
        rubbish = chance.randbytes(chance.randrange(1, 200))
        whole = die_at(left_open, folder, cut, tail=rubbish + bytes(300))
        alarms = []
        journal = Journal(folder, **SIZES, on_alarm=alarms.append, sync=lambda _: None)
        (torn,) = journal.open()
        journal.close()
        assert numbers(folder) == whole
        assert [alarm.kind for alarm in alarms] == [AlarmKind.TORN]
        assert torn.kept_in.read_bytes().rstrip(b"\0").endswith(rubbish.rstrip(b"\0"))
        assert torn.kept_in.stat().st_mode & 0o777 == 0o600


def test_a_writer_killed_twenty_times_keeps_every_promise_exactly_once(tmp_path):
    chance, promised, first = random.Random(4), set(), 0
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, WRITER, tmp_path, str(first)], stdout=subprocess.PIPE, text=True, env=environment
        ) as writer:
            said = [writer.stdout.readline() for _ in range(chance.randrange(1, 400))]
            writer.kill()
            said += writer.stdout.readlines()
        promised |= {int(line) for line in said if line.endswith("\n")}
        first = max(promised) + 1000  # so that a number is never written by two writers
    journal = Journal(tmp_path, **SIZES)
    journal.open()
    journal.close()
    kept = numbers(tmp_path)
    assert len(kept) == len(set(kept))
    assert promised <= set(kept)
    assert kept == sorted(kept)
    assert len(promised) > 1000


def test_a_dead_writer_leaves_the_folder_free_at_once(tmp_path):
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, WRITER, tmp_path, "0"],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        ) as writer:
            assert writer.stdout.readline()
            writer.kill()
