"""The ledger's, the catalogue's and the paper forms' commands, as a person runs them."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
from test_store_commands import Run, record, run, upgraded  # noqa: F401  fixtures


def test_the_audit_is_content_until_somebody_edits_the_file(upgraded: Run, tmp_path: Path) -> None:  # noqa: F811
    record(tmp_path)
    anchor = upgraded("audit", "anchor").stdout.strip()
    assert re.fullmatch(r"2:[0-9a-f]{64}", anchor)
    assert "2 entries, nothing changed" in upgraded("audit", "verify", "--anchor", anchor).stdout
    (row,) = map(json.loads, upgraded("evaluations", "list", "--format", "jsonl").stdout.splitlines())
    with sqlite3.connect(tmp_path / "var" / "pingjia.db") as database:
        database.execute("UPDATE evaluation SET grade = 'very_satisfied'")
    result = upgraded("audit", "verify", exits=1)
    assert result.stdout == f"changed: evaluation {row['id']} entry 2: the row is not what was entered\n"
    assert "1 findings in 2 entries" in result.stderr
    assert upgraded("audit", "verify", "--from", "3").stdout.startswith("2 entries, nothing changed")
    with sqlite3.connect(tmp_path / "var" / "pingjia.db") as database:
        for table in ("evaluation", "ballot", "ledger"):
            database.execute(f"DELETE FROM {table} WHERE {'seq = 2' if table == 'ledger' else 'TRUE'}")
    upgraded("audit", "verify")
    assert "cut off or rewritten" in upgraded("audit", "verify", "--anchor", anchor, exits=1).stdout
    assert "is no anchor" in upgraded("audit", "verify", "--anchor", "x", exits=2).stderr


def test_a_rows_history_is_one_command(upgraded: Run, tmp_path: Path) -> None:  # noqa: F811
    added = json.loads(upgraded("contact", "add", "--caller", "13812345678", "--format", "jsonl").stdout)
    record(tmp_path, contact=added["id"])
    lines = upgraded("audit", "show", "contact", added["id"], "--format", "jsonl").stdout
    steps = [json.loads(line) for line in lines.splitlines()]
    assert [(step["seq"], step["table"]) for step in steps] == [(1, "contact"), (2, "call"), (3, "evaluation")]
    assert "13812345678" not in lines
    assert "very" not in upgraded("audit", "show", "contact", added["id"]).stdout
    assert "is none of" in upgraded("audit", "show", "nothing", added["id"], exits=2).stderr
    assert "is no id" in upgraded("audit", "show", "call", "1", exits=2).stderr


def test_a_catalogue_is_imported_whole_or_not_at_all(upgraded: Run, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "items.csv"
    file.write_text("\ufeffcode,name,department,taskCode\n1,身份证办理,D1,T-1\n2,居住证办理,D1,\n", "utf-8")
    assert "item: 2 added, 0 changed, 0 withdrawn" in upgraded("catalogue", "import", "item", str(file)).stdout
    file.write_text("code,name\n1,身份证\n1,x\n,y\n3,\n", "utf-8")
    result = upgraded("catalogue", "import", "item", str(file), exits=1)
    assert result.stdout.splitlines() == [
        "line 3: code 1 stands on line 2 too",
        "line 4: code is missing",
        "line 5: name is missing",
    ]
    file.write_text("code,name,department,taskCode\n1,身份证办理,D1,T-1\n", "utf-8")
    assert "1 withdrawn, 1 unchanged" in upgraded("catalogue", "import", "item", str(file)).stdout
    rows = [json.loads(line) for line in upgraded("catalogue", "list", "--format", "jsonl").stdout.splitlines()]
    assert [(row["code"], row["active"], row["version"]) for row in rows] == [("1", True, 1), ("2", False, 2)]
    assert rows[0]["attributes"] == {"taskcode": "T-1"}
    file.write_text("code,name\n", "utf-8")
    assert "no entries" in upgraded("catalogue", "import", "item", str(file), exits=2).stderr


def test_paper_forms_are_imported_with_a_key_from_a_file(upgraded: Run, tmp_path: Path) -> None:  # noqa: F811
    forms, key = tmp_path / "forms.csv", tmp_path / "key"
    forms.write_text("form,grade,filled_at\nF1,满意,2026-01-01\nF2,不满意,\n", "utf-8")
    key.write_text(upgraded("channels", "add", "clerk", "--channel", "paper").stdout, "ascii")
    command = ("evaluations", "import", str(forms), "--channel-key-file", str(key), "--format", "jsonl")
    result = upgraded(*command)
    assert [json.loads(line)["verdict"] for line in result.stdout.splitlines()] == ["stored", "stored"]
    assert result.stderr == "2 forms imported, 0 were there already\n"
    assert upgraded(*command).stderr == "0 forms imported, 2 were there already\n"
    forms.write_text("form,grade\nF3,满意\nF4,3\n", "utf-8")
    result = upgraded(*command, exits=1)
    assert [json.loads(line)["verdict"] for line in result.stdout.splitlines()] == ["stored", "refused"]
    assert "nothing was imported: 1 of 2" in result.stderr
    assert len(upgraded("evaluations", "list", "--format", "jsonl").stdout.splitlines()) == 2
    key.write_text(upgraded("channels", "add", "web", "--channel", "web").stdout, "ascii")
    assert "no good key of a paper channel" in upgraded(*command, exits=2).stderr


def test_a_channel_is_rotated_and_listed_with_its_keys_and_last_use(upgraded: Run) -> None:  # noqa: F811
    old = upgraded("channels", "add", "web", "--channel", "web", "--per-minute", "60").stdout.strip()
    new = upgraded("channels", "rotate", "web").stdout.strip()
    (row,) = map(json.loads, upgraded("channels", "list", "--format", "jsonl").stdout.splitlines())
    assert row["prefix"] == [new.split("_")[1], old.split("_")[1]]
    assert (row["per_minute"], row["last_used_at"]) == (60, None)
    assert "no channel named" in upgraded("channels", "rotate", "nobody", exits=2).stderr


@pytest.mark.parametrize("scopes", ["evaluations:write", "contacts:write,evaluations:write"])
def test_no_staff_channel_can_be_given_the_right_to_insert_grades(upgraded: Run, scopes: str) -> None:  # noqa: F811
    result = upgraded("channels", "add", "desk", "--channel", "cti", "--scopes", scopes, exits=2)
    assert "staff give no grades" in result.stderr
