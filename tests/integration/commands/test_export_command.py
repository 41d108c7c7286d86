"""`export` and `jobs --once` as people use them: sent, proved, retried, each mistake in one line."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from outside.city_platform import Platform, answers, platform
from test_statistics_command import NOW, call

from app import main
from store.contact import NewContact
from store.database import open_engine
from store.exports.targets import TargetRow
from store.record import Recorder
from store.register import register
from store.secret import load_keys
from store.upgrade import upgrade

ROOT = Path(__file__).parents[3]
SECRET = "0123456789abcdef" * 2
# what a command puts in is due at once, by the day on which this runs
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.fixture
def place() -> Iterator[Platform]:
    with platform() as found:
        yield found


@pytest.fixture
def targets(tmp_path: Path, place: Platform, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a good and a bad evaluation, and a target."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGJIA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PINGJIA_EXPORT_TARGETS", str(tmp_path / "exports.toml"))
    engine, keys = open_engine(f"sqlite:///{tmp_path / 'pingjia.db'}"), load_keys(tmp_path / "secret.key")
    upgrade(engine)
    recorder = Recorder(str(engine.url), "follow_up", keys, clock=lambda: NOW)
    for number, grade in enumerate(("satisfied", "very_dissatisfied")):
        contact = register(engine, keys, NewContact(work_order=f"WO-{number}"), now=NOW, expires_at=NOW)
        recorder.record([call(contact.id, number, grade)])
    recorder.close()
    engine.dispose()
    (tmp_path / "key").write_text(SECRET)
    (tmp_path / "key").chmod(0o600)
    file = tmp_path / "exports.toml"
    file.write_text(f'[province]\nurl = "{place.url}"\nkey = "siping"\nsecret_file = "key"\n')
    return file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_what_was_given_is_sent_by_the_jobs_and_proved(targets: Path, place: Platform) -> None:
    before = run("export", "province", "reconcile")
    assert before.exit_code == 1
    assert "0 of 2 evaluations delivered (without those deemed)" in before.output
    done = run("jobs", "--once", "--now", TOMORROW)
    assert "2 exported_province" in done.output
    after = run("export", "province", "reconcile")
    assert after.exit_code == 0, after.output
    assert "2 of 2 evaluations delivered" in after.output
    assert {record["satisfaction"] for record in place.held.values()} == {"4", "1"}


def test_a_dead_letter_is_listed_with_its_reason_and_put_in_again(targets: Path, place: Platform) -> None:
    place.ways.append(answers(b'{"code": 5, "msg": "no such item"}'))
    run("jobs", "--once", "--now", "2026-11-22T15:00:00")
    dead = run("export", "province", "dead", "--format", "csv")
    assert "HTTP 200 code 5 no such item" in dead.output
    listed = run("export", "province", "reconcile", "--format", "jsonl")
    assert (listed.exit_code, "no such item" in listed.output) == (1, True)
    assert "dead" in run("export", "province", "status").output
    assert run("export", "province", "retry", "00000000-0000-0000-0000-000000000000").exit_code == 1
    assert "1 put in again" in run("export", "province", "retry", "--all").output
    run("jobs", "--once", "--now", TOMORROW)
    assert run("export", "province", "reconcile").exit_code == 0


def test_without_targets_nothing_is_sent(targets: Path, place: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINGJIA_EXPORT_TARGETS")
    assert "exported" not in run("jobs", "--once").output
    assert place.got == []
    found = run("export", "province", "status")
    assert (found.exit_code, "EXPORT_TARGETS has none" in found.output) == (2, True)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[province]", "[other]", "there is no export target province: EXPORT_TARGETS has other"),
        ("[province]", "province", "cannot be read"),
        ('key = "siping"', "", "key: field required"),
        ('key = "siping"', 'key = "siping"\ngrades = ["satisfied"]', "grades: extra inputs are not permitted"),
        ('"key"', '"nokey"', "secret_file"),
        ("http://127.0.0.1", "http://10.0.0.1", "is not encrypted"),
        ("http://", "ftp://", "write https://"),
        ('key = "siping"', 'key = "siping"\nadapter = "lunar"', "no adapter lunar: national, provincial"),
        ('key = "siping"', 'key = "siping"\nvariant = "moon"', "no variant moon"),
        ('key = "siping"', 'key = "siping"\ndeemed = true', "deemed evaluations need a code"),
        ('key = "siping"', 'key = "siping"\ncaller = "all"', "caller: input should be"),
    ],
)
def test_a_mistake_in_the_targets_file_is_one_line(targets: Path, old: str, new: str, says: str) -> None:
    targets.write_text(targets.read_text().replace(old, new, 1))
    found = run("export", "province", "status")
    assert (found.exit_code, says in found.output) == (2, True), found.output
    assert found.output.count("\n") == 1


def test_a_secret_others_can_read_or_guess_is_not_used(targets: Path) -> None:
    key = targets.parent / "key"
    key.chmod(0o644)
    assert "is open to others" in run("export", "province", "status").output
    key.chmod(0o600)
    key.write_text("short")
    assert "fewer than 32 characters" in run("export", "province", "status").output


def test_the_example_shows_every_setting_of_a_target(targets: Path) -> None:
    example = (ROOT / "deploy" / "exports.example.toml").read_text()
    (targets.parent / "province.key").write_text(SECRET)
    (targets.parent / "province.key").chmod(0o600)
    enabled = "\n".join(
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line
        for line in example.splitlines()[3:]
    )
    targets.write_text(enabled)
    found = run("export", "province", "status")
    assert found.exit_code == 0, found.output
    assert all(f"{name} = " in enabled or f".{name}]" in enabled for name in TargetRow.model_fields)
