"""Looking at a caller, and sealing anew, from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import main

NUMBER = "13812345678"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PINGJIA_DATA_DIR", str(tmp_path / "var"))

    def run_one(*arguments: str, exits: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == exits, result.output
        return result

    run_one("db", "upgrade")
    return run_one


@pytest.fixture
def contact(run: Run) -> str:
    return str(json.loads(run("contact", "add", "--caller", NUMBER, "--format", "json").stdout)["id"])


def test_a_look_needs_a_reason_and_a_name_and_is_listed_with_both(run: Run, contact: str) -> None:
    assert "--reason" in run("contact", "reveal", contact, "--as", "wang", exits=2).stderr
    assert "--as" in run("contact", "reveal", contact, "--reason", "回访", exits=2).stderr
    assert "1 to 500" in run("contact", "reveal", contact, "--reason", " ", "--as", "wang", exits=2).stderr
    assert run("contact", "reveals", "--format", "jsonl").stdout == ""
    assert NUMBER in run("contact", "reveal", contact, "--reason", "回访", "--as", "wang").stdout
    (row,) = run("contact", "reveals", contact, "--format", "jsonl").stdout.splitlines()
    found = json.loads(row)
    assert (found["by"], found["reason"], found["fields"], found["contact"]) == ("wang", "回访", ["caller"], contact)
    assert "nothing changed" in run("audit", "verify").stdout


def test_a_number_that_a_lost_key_sealed_is_named_by_rekey(run: Run, contact: str, tmp_path: Path) -> None:
    assert "0 sealed anew" in run("db", "rekey").stdout
    with (tmp_path / "var" / "secret.key").open("a") as file:
        file.write(f"3:{'5a' * 32}\n")
    assert "1 sealed anew: everything that opens is sealed with key 3, aes-gcm" in run("db", "rekey").stdout
    text = (tmp_path / "var" / "secret.key").read_text()
    (tmp_path / "var" / "secret.key").write_text(text.partition("\n")[0])
    done = run("db", "rekey", exits=1)
    assert f"no known key opens contact.caller {contact}\n1 left as they are\n" in done.stderr
    assert "****" in run("contact", "show", contact).stdout


def test_nobody_is_one_line(run: Run) -> None:
    done = run("contact", "reveal", "nobody", "--reason", "回访", "--as", "wang", exits=2)
    assert done.stderr == "Error: there is no contact nobody\n"
