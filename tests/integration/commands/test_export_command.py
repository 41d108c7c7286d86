"""`evaluations export` writes every evaluation into one file, whole or not at all, and nothing in it runs."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from app import main
from store.ballot_box import evaluation_row, put
from store.database import open_engine, writing
from store.export_file import FileFormat, write_file
from store.secret import load_keys
from store.upgrade import upgrade

FIRST = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
COUNT = 2500
FORMULA = "=1+1"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A store with 2,500 evaluations, the key of each a formula."""
    monkeypatch.setenv("PINGJIA_DATA_DIR", str(tmp_path))
    engine, keys = open_engine(f"sqlite:///{tmp_path / 'pingjia.db'}"), load_keys(tmp_path / "secret.key")
    upgrade(engine)
    rows = [
        evaluation_row(
            id=f"00000000-0000-4000-8000-{number:012}", channel="web", grade="satisfied", round=1, match="none",
            answered_at=FIRST, recorded_at=FIRST + timedelta(seconds=number), key=FORMULA,
        )
        for number in range(COUNT)
    ]  # fmt: skip
    with writing(engine) as connection:
        put(connection, keys, rows, FIRST)
    engine.dispose()
    return CliRunner()


def exported(run: CliRunner, path: Path, *arguments: str) -> Path:
    done = run.invoke(main, ["evaluations", "export", str(path), *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return path


def test_csv_has_every_row_and_opens_in_a_spreadsheet(run: CliRunner, tmp_path: Path) -> None:
    text = exported(run, tmp_path / "all.csv").read_text(encoding="utf-8")
    assert text.startswith("\ufeffid,contact,channel,grade,")
    rows = list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
    assert len(rows) == COUNT
    assert {row["key"] for row in rows} == {"'" + FORMULA}


def test_json_and_json_lines_hold_the_same(run: CliRunner, tmp_path: Path) -> None:
    whole = json.loads(exported(run, tmp_path / "all.json").read_text(encoding="utf-8"))
    lines = exported(run, tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert whole == [json.loads(line) for line in lines]
    assert len(whole) == COUNT


def test_xlsx_has_civil_times_and_text_that_is_no_formula(run: CliRunner, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(exported(run, tmp_path / "all.xlsx"), read_only=True)
    head, first, *rest = book.active.iter_rows(values_only=True)
    row = dict(zip(head, first, strict=True))
    assert row["recorded_at"] == datetime(2026, 11, 22, 14, 0)  # noqa: DTZ001  a sheet has no zones
    assert row["key"] == FORMULA
    assert len(rest) == COUNT - 1
    book.close()


def test_only_what_was_recorded_since(run: CliRunner, tmp_path: Path) -> None:
    path = exported(run, tmp_path / "some.out", "--format", "jsonl", "--since", "2026-11-22T14:40:00")
    assert len(path.read_text(encoding="utf-8").splitlines()) == COUNT - 2400


def test_a_name_without_a_known_ending_is_one_clear_line(run: CliRunner, tmp_path: Path) -> None:
    done = run.invoke(main, ["evaluations", "export", str(tmp_path / "all.doc")])
    assert done.exit_code == 2
    assert "end its name in .csv, .json, .jsonl or .xlsx" in done.stderr


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text("of yesterday", encoding="utf-8")

    def breaking() -> object:
        yield {"a": 1}
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        write_file(path, FileFormat.CSV, ["a"], breaking())  # type: ignore[arg-type]
    assert path.read_text(encoding="utf-8") == "of yesterday"
    assert list(tmp_path.iterdir()) == [path]
