"""`cases` and `jobs` as people and scripts run them, and several job processes at once on both databases."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, func, select

from app import main
from store.audit import verify
from store.call import GivenAnswer, Match, SettledCall
from store.contact import NewContact
from store.database import open_engine, reading
from store.record import Recorder
from store.register import register
from store.schema import Evaluation, ReminderRecord
from store.secret import Keys, load_keys

ROOT = Path(__file__).parents[3]
Run = Callable[..., Result]
Opened = Callable[[str], Engine]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an embedded database of its own; each run is a fresh `app.py`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGJIA_DATA_DIR", str(tmp_path / "var"))

    def run_one(*arguments: str, exits: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == exits, result.output
        return result

    run_one("db", "upgrade")
    return run_one


def settled(contact: str | None, grade: str, at: datetime) -> SettledCall:
    return SettledCall(
        id=str(uuid4()),
        call_id=f"{uuid4()}@pbx",
        node="node-1",
        flow="post_call_survey",
        flow_version="1+abc",
        language="zh-CN",
        started_at=at,
        answered_at=at,
        ended_at=at + timedelta(seconds=9),
        ended_by="service",
        outcome="rated",
        attempts=1,
        match=Match.TOKEN if contact else Match.NONE,
        contact=contact,
        caller=None,
        trunk="10.0.0.1",
        answers=(GivenAnswer("grade", grade, "5", at, {}),),
    )


def fill(url: str, keys: Keys, *grades: str | None, at: datetime | None = None) -> None:
    """Contacts of a moment, each with a grade or without."""
    at = at or datetime.now(UTC)
    engine = open_engine(url)
    calls = []
    for grade in grades:
        new = NewContact(department="住建局")
        of = register(engine, keys, new, now=at, expires_at=at + timedelta(days=1)).id
        calls += [settled(of, grade, at)] if grade else []
    engine.dispose()
    with closing(Recorder(url, "follow_up", keys, clock=lambda: at)) as recorder:
        recorder.record(calls)


def embedded(tmp_path: Path) -> tuple[str, Keys]:
    return f"sqlite:///{tmp_path / 'var' / 'pingjia.db'}", load_keys(tmp_path / "var" / "secret.key")


@pytest.fixture
def case(run: Run, tmp_path: Path) -> str:
    fill(*embedded(tmp_path), "very_dissatisfied", "satisfied")
    (row,) = listed(run)
    return str(row["id"])


def listed(run: Run, *arguments: str) -> list[dict[str, Any]]:
    lines = run("cases", "list", "--format", "jsonl", *arguments).stdout.splitlines()
    return [json.loads(line) for line in lines]


def do(run: Run, case: str, act: str, actor: str, role: str, *more: str, exits: int = 0) -> str:
    result = run("cases", "act", case, act, "--as", actor, "--role", role, *more, exits=exits)
    return (result.stderr if exits else result.stdout).strip()


def test_a_case_from_the_bad_rating_to_its_end(run: Run, case: str) -> None:
    assert do(run, case, "verify", "王", "case_team") == "verifying"
    assert do(run, case, "call_back", "王", "case_team", "--note", "已接通") == "verifying"
    assert do(run, case, "rectify", "王", "case_team") == "rectifying"
    assert do(run, case, "rectified", "孙", "department", "--note", "已重新办理") == "rectified"
    assert do(run, case, "call_back", "王", "case_team") == "called_back"
    assert do(run, case, "close", "王", "case_team") == "closed"
    assert [row["state"] for row in listed(run, "--state", "closed")] == ["closed"]
    assert listed(run, "--state", "received", "--state", "verifying") == []
    text = run("cases", "show", case).stdout
    assert "已重新办理" in text
    assert "asked again" in text
    found = json.loads(run("cases", "show", case, "--format", "json").stdout)
    assert [event["act"] for event in found["events"]][-2:] == ["call_back", "close"]


def test_lists_are_tables_and_csv_too(run: Run, case: str) -> None:
    assert case in run("cases", "list").stdout
    (row,) = csv.DictReader(io.StringIO(run("cases", "list", "--format", "csv").stdout.removeprefix("\ufeff")))
    assert (row["id"], row["state"], row["late"]) == (case, "received", "false")
    in_three_days = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    assert [row["id"] for row in listed(run, "--due", in_three_days)] == [case]
    assert listed(run, "--due", datetime.now(UTC).isoformat()) == []
    assert listed(run, "--department", "税务局") == []


def test_what_may_not_be_done_is_one_clear_line(run: Run, case: str) -> None:
    for told, arguments in {
        "close cannot be done to a case that is received": (case, "close", "王", "case_team"),
        "verify is for case_team, not for department": (case, "verify", "孙", "department"),
        "object needs a note": (case, "object", "孙", "department"),
        "nobody acts as system": (case, "note", "x", "system", "--note", "x"),
        "a person's name is": (case, "verify", " ", "case_team"),
        "there is no case nothing": ("nothing", "verify", "王", "case_team"),
    }.items():
        message = do(run, *arguments, exits=2)
        assert told in message
        assert message.count("\n") == 0


def test_not_adopted_with_a_file_and_a_second_person(run: Run, case: str, tmp_path: Path) -> None:
    proof = tmp_path / "证据.pdf"
    proof.write_bytes(b"%PDF-1.7 the key was pressed by mistake")
    do(run, case, "verify", "王", "case_team")
    more = ("--note", "按错键", "--reason", "misjudged", "--evidence", str(proof))
    alone = do(run, case, "propose_not_adopted", "王", "case_team", *more, "--second", "王", exits=2)
    assert "another person" in alone
    assert do(run, case, "propose_not_adopted", "王", "case_team", *more, "--second", "赵") == "not_adopted"
    rows = [json.loads(line) for line in run("evaluations", "list", "--format", "jsonl").stdout.splitlines()]
    assert sorted((row["grade"], row["adopted"]) for row in rows) == [("satisfied", True), ("very_dissatisfied", False)]
    found = json.loads(run("cases", "show", case, "--format", "json").stdout)
    kept = found["attachments"][-1]
    copy = tmp_path / "copy.pdf"
    assert kept["sha256"] in run("cases", "attachment", case, kept["id"], "--output", str(copy)).stdout
    assert copy.read_bytes() == proof.read_bytes()
    run("cases", "attachment", case, kept["id"], "--output", str(copy), exits=2)
    run("audit", "verify")


def test_evidence_that_is_no_evidence_is_refused(run: Run, case: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>")
    told = do(run, case, "note", "王", "case_team", "--note", "x", "--evidence", "page.html", exits=2)
    assert "attach a PDF" in told
    with (tmp_path / "large.pdf").open("wb") as file:
        file.truncate(11 * 2**20)
    assert "larger than 10 MiB" in do(run, case, "note", "王", "case_team", "--evidence", "large.pdf", exits=2)


def test_jobs_once_as_of_a_time_does_what_is_due_then(run: Run, tmp_path: Path) -> None:
    begin = datetime(2026, 11, 20, 2, tzinfo=UTC)
    fill(*embedded(tmp_path), "dissatisfied", None, at=begin)
    assert run("jobs", "--once", "--now", "2026-11-21T12:00").stdout.strip().startswith("0 deemed, 1 expired")
    told = run("jobs", "--once", "--now", "2026-11-28T00:00:01").stdout
    assert told.startswith("1 deemed, 0 expired, 0 recounted, 1 reminded")
    rows = [json.loads(line) for line in run("evaluations", "list", "--format", "jsonl").stdout.splitlines()]
    assert [(row["grade"], row["deemed"]) for row in rows] == [("dissatisfied", False), ("basically_satisfied", True)]
    sides = [json.loads(line)["side"] for line in run("cases", "reminders", "--format", "jsonl").stdout.splitlines()]
    assert sides == ["after", "after"]


def test_deeming_can_be_off(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(*embedded(tmp_path), None, at=datetime(2026, 11, 2, tzinfo=UTC))
    monkeypatch.setenv("PINGJIA_DEEMED", "off")
    assert "deemed" not in run("jobs", "--once").stdout
    assert run("evaluations", "list", "--format", "jsonl").stdout == ""


def test_a_time_given_to_jobs_that_run_on_is_refused(run: Run) -> None:
    assert "--once" in run("jobs", "--now", "2026-11-28", exits=2).stderr


def test_jobs_say_in_one_line_that_the_database_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGJIA_DATABASE_URL", "postgresql://pingjia:s3cret@127.0.0.1:1/pingjia")
    told = run("jobs", "--once", exits=1).stderr
    assert "127.0.0.1:1/pingjia cannot be used" in told
    assert "s3cret" not in told


def test_a_year_file_settles_what_was_provisional_and_a_broken_one_stops_nothing(run: Run, tmp_path: Path) -> None:
    fill(*embedded(tmp_path), "dissatisfied", at=datetime(2026, 12, 30, 2, tzinfo=UTC))
    assert [row["provisional"] for row in listed(run)] == [True]
    folder = tmp_path / "var" / "calendars"
    folder.mkdir()
    (folder / "2027.yaml").write_text("year: 2027\n")
    assert "0 recounted" in run("jobs", "--once", "--now", "2026-12-31").stdout
    (folder / "2027.yaml").write_text(
        "year: 2027\nsource: test\nworkdays: []\n"
        "holidays: [2027-01-01/2027-01-03, 2027-02-05/2027-02-11, 2027-05-01, 2027-10-01/2027-10-07]\n"
    )
    assert "1 recounted" in run("jobs", "--once", "--now", "2026-12-31").stdout
    (row,) = listed(run)
    assert (row["provisional"], row["objection_until"]) == (False, "2027-01-04T15:59:59.999999Z")


def test_warnings_and_interviews(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGJIA_LOW_INDEX_MINIMUM", "2")
    fill(*embedded(tmp_path), "dissatisfied", "very_dissatisfied", at=datetime(2026, 10, 9, tzinfo=UTC))
    assert "1 warned" in run("jobs", "--once", "--now", "2026-11-02").stdout
    (row,) = (json.loads(line) for line in run("cases", "warnings", "--format", "jsonl").stdout.splitlines())
    assert (row["department"], row["index"], row["count"]) == ("住建局", 12.5, 2)
    run("cases", "interview", row["id"], "--as", "赵", "--note", "约谈局长", "--until", "2026-12-01")
    assert "约谈局长" in run("cases", "interviews", row["id"]).stdout
    run("cases", "interview", "nothing", "--as", "赵", "--note", "x", exits=2)
    run("cases", "interview", row["id"], "--as", "赵", "--note", " ", exits=2)


def environment(url: str, folder: Path) -> dict[str, str]:
    changes = {"PINGJIA_DATABASE_URL": url, "PINGJIA_DATA_DIR": str(folder), "PINGJIA_JOBS_SECONDS": "0.2"}
    return {**os.environ, **changes}


def start(url: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "app.py"), "jobs", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment(url, folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def counted(engine: Engine) -> tuple[int, int]:
    """Deemed evaluations and reminders."""
    with reading(engine) as connection:
        deemed = connection.scalar(select(func.count()).where(Evaluation.deemed)) or 0
        return deemed, connection.scalar(select(func.count()).select_from(ReminderRecord)) or 0


def test_job_processes_side_by_side_do_everything_once(database_url: str, tmp_path: Path, opened: Opened) -> None:
    keys = load_keys(tmp_path / "secret.key")
    fill(database_url, keys, *[None, "dissatisfied"] * 20, at=datetime.now(UTC) - timedelta(days=20))
    processes = [start(database_url, tmp_path, "--once") for _ in range(3)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert sum(int(output.split()[0]) for output, _ in outputs) == 20
    # call back, rectify, object: each of 20 cases is told once that its time is over
    engine = opened(database_url)
    assert counted(engine) == (20, 60)
    assert list(verify(engine, keys)) == []


def test_a_killed_job_process_leaves_nothing_half_done(database_url: str, tmp_path: Path, opened: Opened) -> None:
    keys, engine = load_keys(tmp_path / "secret.key"), opened(database_url)
    fill(database_url, keys, *[None, "dissatisfied"] * 10, at=datetime.now(UTC) - timedelta(days=20))
    victim = start(database_url, tmp_path)
    try:
        deadline = time.monotonic() + 30
        while counted(engine) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        victim.kill()
        victim.communicate()
    # its turn, if it had one, ends two minutes later
    later = (datetime.now(UTC) + timedelta(minutes=3)).isoformat()
    after = start(database_url, tmp_path, "--once", "--now", later)
    output = after.communicate(timeout=60)
    assert after.returncode == 0, output
    assert counted(engine) == (10, 30)
    assert list(verify(engine, keys)) == []


def test_jobs_run_on_until_they_are_told_to_stop(database_url: str, tmp_path: Path, opened: Opened) -> None:
    keys, engine = load_keys(tmp_path / "secret.key"), opened(database_url)
    process = start(database_url, tmp_path)
    try:
        fill(database_url, keys, None, at=datetime.now(UTC) - timedelta(days=20))
        deadline = time.monotonic() + 30
        while counted(engine)[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert counted(engine)[0] == 1
    finally:
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=20)
    assert process.returncode == 0, output
