"""No room: met at allocation, said once, last words still kept, and over when there is room again."""

import contextlib
import errno
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ivr.journal import AlarmKind, Journal, JournalFailed, JournalFull, JournalReader

RECORD = b'{"text":"' + b"x" * 200 + b'"}'
LAST_WORD = b'{"last":"word"}'


def fill(journal: Journal) -> int:
    """Append until the journal refuses; returns how many it took."""
    for taken in range(100_000):
        try:
            journal.append(RECORD).result()
        except JournalFull:
            return taken
    raise AssertionError("the journal never got full")


def append_until_no_longer_full(journal: Journal) -> None:
    """A journal that was full looks for room a few times a second."""
    deadline = time.monotonic() + 10
    while journal.figures().full:
        assert time.monotonic() < deadline
        with contextlib.suppress(JournalFull):
            journal.append(RECORD).result()


def kept(folder: Path) -> list[bytes]:
    return [payload for _, payload in JournalReader(folder).read()]


def check_full_and_room_again(folder: Path, journal: Journal, alarms: list, make_room) -> None:
    taken = fill(journal)
    assert taken > 10
    assert journal.figures().full
    assert [alarm.kind for alarm in alarms].count(AlarmKind.FULL) == 1
    assert journal.append(LAST_WORD, reserve=True).result()
    with pytest.raises(JournalFull):
        journal.append(RECORD).result()
    assert journal.append(LAST_WORD, reserve=True).result()
    assert kept(folder) == [RECORD] * taken + [LAST_WORD] * 2
    make_room()
    append_until_no_longer_full(journal)
    journal.append(RECORD).result()  # the writer's thread has said what it had to say before it takes the next
    assert alarms[-1].kind is AlarmKind.ROOM
    assert [alarm.kind for alarm in alarms].count(AlarmKind.FULL) == 1, "said once, not per record"
    assert journal.append(RECORD).result()


def test_at_the_size_limit_answers_are_refused_last_words_kept_and_acknowledging_makes_room(tmp_path):
    alarms = []
    journal = Journal(tmp_path, max_bytes=80_000, segment_bytes=16_384, reserve_bytes=8192, on_alarm=alarms.append)
    journal.open()
    reader = JournalReader(tmp_path)
    reader.open()

    def deliver():
        *_, (last, _) = reader.read()
        reader.acknowledge(last)

    check_full_and_room_again(tmp_path, journal, alarms, deliver)
    assert journal.figures().bytes_used <= 80_000
    reader.close()
    journal.close()


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "pingjia-test", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a file system of our own cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_on_a_disk_that_is_really_full_answers_are_refused_and_last_words_kept(small_disk):
    alarms = []
    folder = small_disk / "journal"
    journal = Journal(folder, max_bytes=64 << 20, segment_bytes=16_384, reserve_bytes=8192, on_alarm=alarms.append)
    journal.open()
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    check_full_and_room_again(folder, journal, alarms, ballast.unlink)
    journal.close()


def test_on_a_full_disk_delivery_can_still_acknowledge_and_that_frees_it(small_disk):
    folder = small_disk / "journal"
    journal = Journal(folder, max_bytes=64 << 20, segment_bytes=16_384, reserve_bytes=8192)
    journal.open()
    taken = fill(journal)
    reader = JournalReader(folder)
    reader.open()
    *_, (last, _) = reader.read()
    reader.acknowledge(last)
    append_until_no_longer_full(journal)
    assert fill(journal) > taken // 2
    reader.close()
    journal.close()


def test_a_journal_starts_on_a_full_disk_with_the_reserve_it_kept(small_disk):
    folder = small_disk / "journal"
    sizes = {"max_bytes": 64 << 20, "segment_bytes": 16_384, "reserve_bytes": 8192}
    journal = Journal(folder, **sizes)
    journal.open()
    taken = fill(journal)
    journal.close()
    with contextlib.suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    again = Journal(folder, **sizes)
    again.open()
    with pytest.raises(JournalFull):
        again.append(RECORD).result()
    assert again.append(LAST_WORD, reserve=True).result()
    assert kept(folder) == [RECORD] * taken + [LAST_WORD]
    again.close()


def test_without_room_even_for_last_words_it_does_not_start_and_says_why(small_disk):
    with contextlib.suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    (small_disk / "ballast").write_bytes(bytes((small_disk / "ballast").stat().st_size - 12_288))
    journal = Journal(small_disk / "journal", max_bytes=1 << 20, segment_bytes=65536, reserve_bytes=65536)
    with pytest.raises(JournalFull, match="No space left"):
        journal.open()


LIMITED = """
import resource, sys
from pathlib import Path
from ivr.journal import Journal, JournalFull
journal = Journal(Path(sys.argv[1]), max_bytes=1 << 20, segment_bytes=16384, reserve_bytes=4096)
journal.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
taken = 0
try:
    while True:
        journal.append(b"x" * 100).result()
        taken += 1
except JournalFull as full:
    print(taken, full)
journal.append(b"last word", reserve=True).result()
journal.close()
"""


def test_under_a_file_size_limit_of_the_system_it_is_full_not_broken(tmp_path):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    taken, _, said = run.stdout.strip().splitlines()[-1].partition(" ")
    assert "no room" in said
    assert kept(tmp_path) == [b"x" * 100] * int(taken) + [b"last word"]


class FailingSync:
    """An fsync that fails when told to: what a dying disk does."""

    def __init__(self):
        self.failures = 0
        self.failed_descriptors = []

    def __call__(self, descriptor: int) -> None:
        if self.failures:
            self.failures -= 1
            self.failed_descriptors.append(Path(f"/proc/self/fd/{descriptor}").readlink())
            raise OSError(errno.EIO, "Input/output error")
        os.fdatasync(descriptor)


def test_after_a_failed_fsync_the_record_goes_once_to_a_fresh_segment(tmp_path):
    sync, alarms = FailingSync(), []
    journal = Journal(tmp_path, max_bytes=1 << 20, on_alarm=alarms.append, sync=sync)
    journal.open()
    before = journal.append(b"before").result()
    sync.failures = 1
    after = journal.append(b"after").result()
    assert after.segment > before.segment
    assert journal.append(b"later").result().segment == after.segment
    assert kept(tmp_path) == [b"before", b"after", b"later"]
    assert [alarm.kind for alarm in alarms] == [AlarmKind.MOVED]
    journal.close()
    again = Journal(tmp_path, max_bytes=1 << 20)
    again.open()
    assert kept(tmp_path) == [b"before", b"after", b"later"], "the copy in the failed segment stays void"
    again.close()


def test_when_the_fresh_segment_fails_too_everything_is_refused_aloud(tmp_path):
    sync, alarms = FailingSync(), []
    journal = Journal(tmp_path, max_bytes=1 << 20, on_alarm=alarms.append, sync=sync)
    journal.open()
    journal.append(b"before").result()
    sync.failures = 2
    waiting = [journal.append(b"lost") for _ in range(3)]
    for future in waiting:
        with pytest.raises(JournalFailed, match="Input/output error"):
            future.result()
    with pytest.raises(JournalFailed):
        journal.append(b"never").result()
    assert journal.figures().failed
    assert [alarm.kind for alarm in alarms] == [AlarmKind.MOVED, AlarmKind.FAILED]
    assert len(set(sync.failed_descriptors)) == 2, "no segment is tried twice"
    assert kept(tmp_path) == [b"before"]
    journal.close()


def test_an_alarm_bell_that_is_broken_does_not_stop_the_journal(tmp_path):
    def broken(alarm):
        raise RuntimeError("no bell")

    sync = FailingSync()
    journal = Journal(tmp_path, max_bytes=1 << 20, on_alarm=broken, sync=sync)
    journal.open()
    sync.failures = 1
    assert journal.append(b"kept").result()
    assert kept(tmp_path) == [b"kept"]
    journal.close()
