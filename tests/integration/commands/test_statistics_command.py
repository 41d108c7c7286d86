"""`statistics` answers in every form, and none of them runs as a formula or says more than it may."""

import csv
import io
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from app import main
from ivr.handover.token import LANGUAGES
from store.call import GivenAnswer, Match, SettledCall
from store.contact import NewContact
from store.database import open_engine
from store.record import Recorder
from store.register import register
from store.secret import load_keys
from store.upgrade import upgrade

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
FORMULA = '=HYPERLINK("http://evil","click")'


def call(contact: str, number: int, grade: str) -> SettledCall:
    answer = GivenAnswer("grade", grade, "1", NOW, {})
    return SettledCall(
        f"00000000-0000-4000-8000-{number:012}", f"{number}@pbx", "node-1", "survey", "1+0", LANGUAGES[0], NOW, NOW,
        NOW + timedelta(seconds=9), "service", "rated", 1, Match.TOKEN, contact, None, None, (answer,),
    )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A store with 40 calls for operator 1001, 5 for 1002, of a department whose name is a formula."""
    monkeypatch.setenv("PINGJIA_DATA_DIR", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'pingjia.db'}"
    engine, keys = open_engine(url), load_keys(tmp_path / "secret.key")
    upgrade(engine)
    calls = []
    for number in range(45):
        codes = NewContact(department=FORMULA, operator="1001" if number < 40 else "1002")
        made = register(engine, keys, codes, now=NOW, expires_at=NOW + timedelta(days=1))
        calls.append(call(made.id, number, "dissatisfied" if number % 8 == 0 else "satisfied"))
    with closing(Recorder(url, "follow_up", keys, clock=lambda: NOW)) as recorder:
        recorder.record(calls)
    engine.dispose()
    return CliRunner()


def answered(run: CliRunner, *arguments: str) -> str:
    done = run.invoke(main, ["statistics", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_person_reads_rates_with_their_doubt_their_number_and_their_definition(run: CliRunner) -> None:
    shown = answered(run, "--language", "en")
    assert "86.67% [73.8%–93.7%] (n=45)" in shown
    assert "good: first evaluations of the three upper grades ÷ valid first evaluations" in shown
    assert "好评率: 首次评价中非常满意、满意、基本满意 ÷ 有效首次评价" in answered(run)


def test_a_machine_reads_the_same(run: CliRunner) -> None:
    answer = json.loads(answered(run, "--format", "json", "--by", "month"))
    (group,) = answer["groups"]
    assert group["key"] == {"month": "2026-11-01"}
    assert group["counts"]["given_by_grade"]["satisfied"] == 39
    assert group["figures"]["good"]["value"] == round(39 / 45, 6)
    assert answer["definitions"]["good"]["zh"].startswith("首次评价")


def test_an_operator_with_few_evaluations_has_neither_rates_nor_grades(run: CliRunner) -> None:
    answer = json.loads(answered(run, "--format", "json", "--by", "operator"))
    many, few = answer["groups"]
    assert many["figures"]["good"]["of"] == 40
    assert many["figures"]["good"]["value"] == 0.875
    assert few["key"] == {"operator": "1002"}
    assert few["figures"]["good"] | {"silence": None} == {
        "hits": None, "of": 5, "value": None, "low": None, "high": None, "silence": None,
    }  # fmt: skip
    assert set(few["counts"]["given_by_grade"].values()) == {None}
    assert many["case_mix"]["expected"] == 0.8
    assert few["case_mix"]["rate"] is None


def test_csv_opens_in_a_spreadsheet_and_runs_nothing(run: CliRunner) -> None:
    text = answered(run, "--format", "csv", "--by", "department")
    assert text.startswith("\ufeffdepartment,figure,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert {row["department"] for row in rows} == {"'" + FORMULA}
    (good,) = [row for row in rows if row["figure"] == "good"]
    assert (good["count"], good["of"], good["name"]) == ("39", "45", "好评率")
    assert good["definition"]


def test_xlsx_holds_text_as_text(run: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "figures.xlsx"
    answered(run, "--format", "xlsx", "--by", "department", "--output", str(path))
    book = openpyxl.load_workbook(path)
    head, first, *_rows = book.active.iter_rows()
    assert [cell.value for cell in head][:3] == ["department", "figure", "name"]
    assert (first[0].value, first[0].data_type) == (FORMULA, "s")
    assert [place.name for place in tmp_path.glob(".*.part")] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--since", "2026-02-30"), "'2026-02-30' is no day: write 2026-11-22"),
        (("--since", "2026-11-22", "--until", "2026-11-22"), "--since is not before --until"),
        (("--by", "day", "--by", "month"), "one of day and month"),
        (("--by", "nobody"), "'nobody' is none of day, month"),
        (("--format", "xlsx"), "--format xlsx needs --output FILE"),
        (("--format", "csv", "--output", "/nowhere/at/all.csv"), "/nowhere/at/all.csv cannot be written"),
    ],
)
def test_a_mistake_is_one_clear_line(run: CliRunner, arguments: tuple[str, ...], sentence: str) -> None:
    done = run.invoke(main, ["statistics", *arguments])
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_counting_anew_changes_no_figure(run: CliRunner) -> None:
    before = answered(run, "--format", "json", "--by", "department")
    assert answered(run, "--format", "json", "--by", "department", "--rebuild") == before
