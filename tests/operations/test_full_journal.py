"""A journal that is full: the caller hears an apology, nobody is thanked for what was not kept, and it mends itself."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from uuid import uuid4

import pytest
from outside.phone import Phone
from outside.service import Service
from outside.waiting import until

from ivr.gateway.journal_records import AnswerRecord, CallRecord, EndedRecord
from ivr.journal import Journal, JournalFull

PickUp = Callable[..., Phone]
MIB = 1 << 20


def fill(folder: Path, max_bytes: int) -> int:
    """Write finished calls into a journal until it takes no more, as a delivery long behind would leave it.

    Gives the number of whole calls.
    """
    journal = Journal(folder, max_bytes=max_bytes)
    journal.open()
    calls = 0
    try:
        # big records first, then ever smaller ones into what is left
        for size in chain(repeat(20_000, 2000), repeat(2000, 20), repeat(100, 50)):
            try:
                append_call(journal, size)
                calls += 1
            except JournalFull:
                if size == 100:
                    break
    finally:
        journal.close()
    return calls


def append_call(journal: Journal, size: int) -> None:
    """One call of an earlier day; its evidence makes it `size` bytes."""
    name, now = str(uuid4()), datetime.now(UTC)
    records = (
        CallRecord(name, f"earlier-{name}", "node-1", "quick", "1", "zh-CN", now, now, "none"),
        AnswerRecord(name, "comment", "none", "1", now, {"note": "x" * size}),
        EndedRecord(name, now, "caller", "hung_up", 1),
    )
    for record in records:
        journal.append(record.payload()).result()


def apology(service: Service, phone: Phone) -> str:
    """A call whose press cannot be kept; its Call-ID."""
    call_id = phone.dial()
    phone.asked()
    phone.press("1")
    phone.hung_up_on()
    assert phone.audio.prompts == ["ask", "fault"]
    return call_id


def thanked(service: Service, pick_up: PickUp) -> str:
    """The Call-ID of the first call whose press is kept again: the journal looks for room a few times a second."""

    def try_once() -> str | None:
        phone = pick_up(service)
        call_id = phone.dial()
        phone.asked()
        phone.press("2")
        phone.hung_up_on()
        return call_id if phone.audio.prompts == ["ask", "thanks"] else None

    return until(try_once, "a call that is thanked")


def deliver(service: Service) -> None:
    """Bring the journal to the store, once."""
    service.run("db", "upgrade")
    service.run("deliver", "--once", within=120)


def test_the_size_limit_is_told_to_callers_by_an_apology_and_in_the_record(
    launch: Callable[..., Service], pick_up: PickUp
) -> None:
    service: Service = launch.prepare("ivr", journal_max_mib=1)  # type: ignore[attr-defined]
    earlier = fill(service.data / "journal" / "node-1", MIB)
    service.start()
    apologised = [apology(service, pick_up(service)) for _ in range(2)]
    assert "limit is reached" in service.text()
    deliver(service)
    for call_id in apologised:
        assert service.call(call_id)["outcome"] == "error"
        assert service.evaluations_of(call_id) == []
    assert len(service.calls()) >= earlier + 2
    kept = thanked(service, pick_up)
    deliver(service)
    assert service.evaluation(kept)["grade"] == "satisfied"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two mebibytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_to_callers_by_an_apology_and_in_the_record(
    launch: Callable[..., Service], pick_up: PickUp, small_disk: Path
) -> None:
    service: Service = launch.prepare("ivr", journal_max_mib=8)  # type: ignore[attr-defined]
    service.data.mkdir()
    (service.data / "journal").symlink_to(small_disk)
    fill(small_disk / "node-1", 8 * MIB)
    service.start()
    apologised = apology(service, pick_up(service))
    assert "No space left on device" in service.text()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    kept = thanked(service, pick_up)
    deliver(service)
    assert service.call(apologised)["outcome"] == "error"
    assert service.evaluations_of(apologised) == []
    assert service.evaluation(kept)["grade"] == "satisfied"


def test_a_disk_with_no_room_even_for_last_words_is_said_at_the_start(
    launch: Callable[..., Service], small_disk: Path
) -> None:
    service: Service = launch.prepare("ivr", journal_max_mib=64)  # type: ignore[attr-defined]
    service.data.mkdir()
    (service.data / "journal").symlink_to(small_disk)
    with (small_disk / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, 2 * MIB - 64 * 1024)
    code, said = service.refuse_to_start()
    assert code == 2
    assert "no room" in said
    assert service.processes() == []
