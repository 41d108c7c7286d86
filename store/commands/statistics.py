"""`statistics`: the figures of the standard, with their definitions and their doubt, to look at or to take away."""

import sys
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from store.commands.edge import OneOf, now, opened
from store.export_file import FileFormat, write_file, write_text
from store.figure_rollup import fold, rebuild
from store.figures_answer import figures
from store.figures_shown import Manner, columns, long_rows
from store.period import Days
from store.statistics import By, Question


class Form(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"


class Day(click.ParamType[date]):
    """A civil day."""

    name = "DATE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read one value of an option."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day: write 2026-11-22", param, ctx)


def _codes(function: Any) -> Any:  # noqa: ANN401  a decorator of click's
    for by in (By.CHANNEL, By.OPERATOR, By.ITEM, By.DEPARTMENT):
        function = click.option(f"--{by}", metavar="CODE", help=f"Only this {by}.")(function)
    return function


@click.command()
@click.option("--by", "by", type=OneOf(By), multiple=True, help="Tell apart by this; may be repeated.")
@click.option("--since", type=Day(), help="From this civil day on.")
@click.option("--until", type=Day(), help="Up to and without this civil day.")
@_codes
@click.option("--format", "form", type=OneOf(Form), default="table", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; needed for xlsx.")
@click.option("--language", type=click.Choice(("zh-CN", "en")), default="zh-CN", show_default=True)
@click.option("--rebuild", "anew", is_flag=True, help="First count all rollups anew from the rows.")
def statistics(
    *,
    by: tuple[By, ...],
    since: date | None,
    until: date | None,
    form: Form,
    output: Path | None,
    language: str,
    anew: bool,
    **codes: str | None,
) -> None:
    """Give counts, rates and how far they may be off, for all or told apart; deemed evaluations always apart."""
    question = _question(by, Days(since, until), codes)
    if form is Form.XLSX and output is None:
        raise click.UsageError("--format xlsx needs --output FILE")
    with opened() as store:
        if anew:
            click.echo(f"{rebuild(store.engine)} cells counted", err=True)
        while fold(store.engine).left:
            pass
        settings = store.settings
        manner = Manner(settings.weights, settings.appraisal_minimum)
        _write(figures(store.engine, question, now(), manner), question, form, output, language)


def _question(by: tuple[By, ...], days: Days, codes: Mapping[str, str | None]) -> Question:
    if len(set(by)) < len(by) or {By.DAY, By.MONTH} <= set(by):
        raise click.UsageError("--by: name each once, and one of day and month")
    if days.empty:
        raise click.UsageError("--since is not before --until: no day lies between them")
    return Question(days, by, {By(name): code for name, code in codes.items() if code is not None})


def _write(answer: Mapping[str, Any], question: Question, form: Form, output: Path | None, language: str) -> None:
    if form is Form.TABLE:
        _table(answer, question, language)
        return
    # JSON is the answer as the API gives it; the other forms are rows of figures
    whole = form is Form.JSON
    rows, kind = ([answer], FileFormat.JSONL) if whole else (long_rows(answer, language), FileFormat(form))
    if output is None:
        write_text(sys.stdout, kind, columns(question), rows)
    else:
        count = write_file(output, kind, columns(question), rows)
        click.echo(f"{output}: {count} rows", err=True)


_SHOWN = ("participation", "good", "good_with_deemed", "bad", "called_back_in_time", "rectified_in_time", "index")


def _table(answer: Mapping[str, Any], question: Question, language: str) -> None:
    """One line a group; under it what each figure is."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    said = answer["definitions"]
    names = [said[name]["name_zh" if language.startswith("zh") else "name_en"] for name in _SHOWN]
    for column in (*question.by, "owed", "asked", "given", "deemed", "not adopted", *names):
        table.add_column(str(column), overflow="fold")
    total = [{"key": {}} | answer["total"]] if question.by else []
    for group in (*answer["groups"], *total) or [{"key": {}} | answer["total"]]:
        key = [str(group["key"].get(by) or ("all" if not group["key"] else "–")) for by in question.by]
        counts = [str(group["counts"][name]) for name in ("owed", "asked", "given", "deemed", "not_adopted")]
        table.add_row(*key, *counts, *(_shown(group["figures"][name], name) for name in _SHOWN))
    Console(width=None if sys.stdout.isatty() else 10_000, markup=False, highlight=False).print(table)
    click.echo()
    for name, title in zip(_SHOWN, names, strict=True):
        click.echo(f"{title}: {said[name]['zh' if language.startswith('zh') else 'en']}")


def _shown(found: Mapping[str, Any], name: str) -> str:
    """A figure with its interval and the number of rows below the line."""
    if found["value"] is None:
        return f"– (n={found['of']})"
    if name == "index":
        return f"{found['value']:.2f} [{found['low']:.1f}–{found['high']:.1f}] (n={found['of']})"
    return f"{found['value']:.2%} [{found['low']:.1%}–{found['high']:.1%}] (n={found['of']})"
