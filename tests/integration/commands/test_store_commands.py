"""The store's commands as a person or a script runs them."""

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from app import main
from ivr.handover.token import read
from store.call import GivenAnswer, Match, SettledCall
from store.privacy import FieldCipher
from store.record import Recorder
from store.schema import REVISION
from store.secret import load_keys

NUMBER = "13812345678"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an embedded database of its own; each run is a fresh `app.py`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGJIA_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("PINGJIA_SIP_PUBLIC", "survey.example:5070")

    def run_one(*arguments: str, exits: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == exits, result.output
        return result

    return run_one


@pytest.fixture
def upgraded(run: Run) -> Run:
    run("db", "upgrade")
    return run


def record(tmp_path: Path, call_id: str = "1@pbx", minutes: int = 0, contact: str | None = None) -> None:
    """One rated call of a known number."""
    keys = load_keys(tmp_path / "var" / "secret.key")
    at, name = datetime(2026, 11, 22, 6, minutes, tzinfo=UTC), str(uuid4())
    call = SettledCall(
        id=name,
        call_id=call_id,
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
        caller=FieldCipher(keys.fields).seal(NUMBER, name.encode(), bytes(12)),
        trunk="10.0.0.1",
        answers=(GivenAnswer("grade", "satisfied", "2", at, {"way": "rfc4733"}),),
    )
    with closing(Recorder(f"sqlite:///{tmp_path / 'var' / 'pingjia.db'}", "follow_up", keys)) as recorder:
        recorder.record([call])


@pytest.mark.parametrize(
    "command", [("evaluations", "list"), ("calls", "list"), ("contact", "add"), ("channels", "list")]
)
def test_a_command_before_the_first_upgrade_says_what_to_do_in_one_line(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command, exits=2)
    assert result.stdout == ""
    assert re.fullmatch(
        r"Error: the database .*pingjia\.db does not exist yet: run app\.py db upgrade\n", result.stderr
    )


def test_check_finds_a_missing_schema_and_is_content_after_the_upgrade(run: Run) -> None:
    assert "run app.py db upgrade" in run("db", "check", exits=1).stderr
    assert f"none -> {REVISION}" in run("db", "upgrade").stdout
    assert f"has schema {REVISION} already" in run("db", "upgrade").stdout
    assert f"has schema {REVISION}, as needed" in run("db", "check").stdout


def test_a_registered_contact_is_printed_with_all_that_the_operator_needs(upgraded: Run, tmp_path: Path) -> None:
    result = upgraded(
        "contact", "add", "--work-order", "W1", "--caller", NUMBER, "--language", "en", "--format", "json"
    )
    added = json.loads(result.stdout)
    assert added["transfer_uri"] == f"sip:{added['token']}@survey.example:5070"
    assert added["evaluate_url"].endswith(f"/e/{added['token']}")
    reading = read(added["token"], load_keys(tmp_path / "var" / "secret.key"), datetime.now(UTC))
    assert (reading.match, reading.contact, reading.language) == (Match.TOKEN, added["id"], "en")
    assert added["expires_at"].endswith(".000000Z")
    for_people = upgraded("contact", "add").stdout
    assert re.search(r"^transfer_uri +sip:pj\w{72}@survey\.example:5070$", for_people, re.MULTILINE)


def test_a_contact_shows_what_became_of_it(upgraded: Run, tmp_path: Path) -> None:
    added = json.loads(upgraded("contact", "add", "--caller", NUMBER, "--format", "jsonl").stdout)
    record(tmp_path, contact=added["id"])
    shown = json.loads(upgraded("contact", "show", added["id"], "--format", "json").stdout)
    assert shown["outcome"] == "rated"
    assert [row["grade"] for row in shown["evaluations"]] == ["satisfied"]
    assert [row["outcome"] for row in shown["calls"]] == ["rated"]
    for_people = upgraded("contact", "show", added["number"].lower()).stdout
    assert "satisfied" in for_people
    assert "138****5678" in for_people
    (listed,) = upgraded("contact", "list", "--format", "jsonl").stdout.splitlines()
    assert json.loads(listed)["outcome"] == "rated"


def test_a_contact_that_is_not_there_is_one_line(upgraded: Run) -> None:
    assert upgraded("contact", "show", "nobody", exits=2).stderr == "Error: there is no contact nobody\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("contact", "add", "--kind", "work_order"), "needs --work-order"),
        (("contact", "add", "--caller", "call me"), "--caller is no phone number"),
        (("contact", "add", "--language", "fr"), "'fr' is not one of"),
        (("contact", "add", "--served-at", "noon"), "'noon' is no date or time"),
        (("calls", "list", "--format", "xml"), "'xml' is none of table, jsonl, csv"),
        (("calls", "list", "--since", "noon"), "'noon' is no date or time"),
        (("calls", "list", "--limit", "0"), "0 is not in the range"),
        (("channels", "add", "x", "--channel", "fax"), "'fax' is none of"),
        (("channels", "add", "x", "--channel", "cti", "--scopes", "all"), "unknown scope all"),
        (("channels", "revoke", "x"), "there is no channel named x"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_two(upgraded: Run, arguments: tuple[str, ...], sentence: str) -> None:
    result = upgraded(*arguments, exits=2)
    assert sentence in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_database_that_is_down_is_one_line_without_the_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGJIA_DATABASE_URL", "postgresql://u:s3cret@127.0.0.1:1/pingjia")
    for command in (("evaluations", "list"), ("db", "check"), ("db", "upgrade"), ("contact", "add")):
        result = run(*command, exits=2)
        assert "cannot be used" in result.stderr
        assert "s3cret" not in result.output
        assert result.stderr.count("\n") == 1


def test_evaluations_and_calls_have_the_fields_of_the_public_interface(upgraded: Run, tmp_path: Path) -> None:
    record(tmp_path)
    (evaluation,) = map(json.loads, upgraded("evaluations", "list", "--format", "jsonl").stdout.splitlines())
    wanted = "id contact channel grade stars round deemed adopted match answered_at recorded_at key call_id"
    assert wanted.split() == list(evaluation)
    assert (evaluation["grade"], evaluation["stars"], evaluation["key"]) == ("satisfied", 4, "2")
    assert (evaluation["deemed"], evaluation["adopted"], evaluation["contact"]) == (False, True, None)
    assert evaluation["answered_at"] == "2026-11-22T06:00:00.000000Z"
    (call,) = map(json.loads, upgraded("calls", "list", "--format", "jsonl").stdout.splitlines())
    wanted = "call_id node flow flow_version started_at answered_at ended_at ended_by outcome attempts contact match"
    assert set(wanted.split()) <= set(call)


@pytest.mark.parametrize("form", ["table", "jsonl", "csv"])
def test_a_callers_number_leaves_masked_in_every_form(upgraded: Run, tmp_path: Path, form: str) -> None:
    upgraded("contact", "add", "--caller", NUMBER)
    record(tmp_path)
    for command in ("calls", "contact"):
        output = upgraded(command, "list", "--format", form).output
        assert "138****5678" in output
        assert NUMBER not in output


def test_no_number_is_in_clear_in_the_embedded_database_after_a_call(upgraded: Run, tmp_path: Path) -> None:
    record(tmp_path)
    upgraded("contact", "add", "--caller", f"+86{NUMBER}")
    assert upgraded("calls", "list").stdout.count("138****5678") == 1
    for file in (tmp_path / "var").glob("pingjia.db*"):
        assert NUMBER[1:].encode() not in file.read_bytes(), file.name


def test_csv_opens_in_a_spreadsheet_and_runs_nothing_there(upgraded: Run, tmp_path: Path) -> None:
    upgraded("contact", "add", "--matter", '=HYPERLINK("http://x","y")', "--department", "市公安局, 户政\n二科")
    raw = upgraded("contact", "list", "--format", "csv").stdout_bytes
    assert raw.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert row["matter"] == '\'=HYPERLINK("http://x","y")'
    assert row["department"] == "市公安局, 户政\n二科"


def test_a_limit_keeps_the_newest_and_since_the_later_ones_both_oldest_first(upgraded: Run, tmp_path: Path) -> None:
    for minute in range(5):
        record(tmp_path, f"{minute}@pbx", minute)

    def listed(*options: str) -> list[str]:
        lines = upgraded("calls", "list", "--format", "jsonl", *options).stdout.splitlines()
        return [json.loads(line)["call_id"][0] for line in lines]

    assert listed() == ["0", "1", "2", "3", "4"]
    assert listed("--limit", "2") == ["3", "4"]
    assert listed("--since", "2026-11-22T06:03:00Z") == ["3", "4"]
    assert listed("--since", "2026-11-22T14:03") == ["3", "4"]  # civil time: Asia/Shanghai
    assert listed("--since", "2026-11-22T06:01:00Z", "--limit", "1") == ["4"]
    assert listed("--since", "2026-11-23") == []


def test_what_came_from_outside_cannot_move_the_readers_cursor(upgraded: Run, tmp_path: Path) -> None:
    record(tmp_path, "\x1b[2J@pbx")
    assert "\x1b" not in upgraded("calls", "list").stdout


def test_a_key_is_printed_once_alone_and_kept_only_as_a_fingerprint(upgraded: Run, tmp_path: Path) -> None:
    result = upgraded("channels", "add", "hotline", "--channel", "cti")
    key = result.stdout.strip()
    assert result.output == f"{key}\n"
    assert re.fullmatch(r"pj_[0-9a-f]{10}_[\w-]{43}", key)
    (row,) = map(json.loads, upgraded("channels", "list", "--format", "jsonl").stdout.splitlines())
    assert (row["name"], row["channel"], row["revoked_at"]) == ("hotline", "cti", None)
    assert row["scopes"] == ["contacts:read", "contacts:write"]
    secret = key.rpartition("_")[2]
    files = (tmp_path / "var").glob("pingjia.db*")
    assert not any(secret.encode() in file.read_bytes() for file in files)
    assert "exists" in upgraded("channels", "add", "hotline", "--channel", "web", exits=2).stderr


def test_a_revoked_key_stays_in_the_list_with_its_end(upgraded: Run) -> None:
    upgraded("channels", "add", "hotline", "--channel", "cti", "--scopes", "contacts:read, evaluations:read")
    upgraded("channels", "revoke", "hotline")
    (row,) = map(json.loads, upgraded("channels", "list", "--format", "jsonl").stdout.splitlines())
    assert row["revoked_at"] is not None
    assert row["scopes"] == ["contacts:read", "evaluations:read"]


@pytest.mark.parametrize("channel", ["web", "sms", "window", "qr", "terminal", "paper", "ivr", "cti"])
def test_every_channel_of_the_standard_can_have_a_key(upgraded: Run, channel: str) -> None:
    assert upgraded("channels", "add", channel, "--channel", channel).stdout.startswith("pj_")


def test_an_empty_list_is_an_empty_output_for_machines_and_a_word_for_people(upgraded: Run) -> None:
    assert upgraded("evaluations", "list", "--format", "jsonl").output == ""
    assert upgraded("evaluations", "list").stderr == "nothing to list\n"
