"""`evaluations export FILE`: every evaluation in one file, to open in a spreadsheet or to read by program."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from store import query
from store.commands.edge import Moment, OneOf, opened
from store.export_file import FileFormat, write_file
from store.query import EvaluationRow, Page


@click.command()
@click.argument("output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "form", type=OneOf(FileFormat), help="Else by the file's ending.")
@click.option("--since", type=Moment(), help="Only recorded from this date or time on (Asia/Shanghai unless said).")
def export(output: Path, form: FileFormat | None, since: datetime | None) -> None:
    """Write all evaluations into FILE (csv, json, jsonl or xlsx), oldest first; nobody's number is in it."""
    kind = form or _by_ending(output)
    with opened() as store:
        columns = [each.name for each in fields(EvaluationRow)]
        count = write_file(output, kind, columns, _rows(query.evaluations(store.engine, Page(since))), _progress)
    click.echo(f"\r{output}: {count} evaluations", err=True)


def _by_ending(output: Path) -> FileFormat:
    try:
        return FileFormat(output.suffix.removeprefix(".").lower())
    except ValueError:
        raise click.UsageError(f"{output}: end its name in .csv, .json, .jsonl or .xlsx, or say --format") from None


def _rows(found: Iterator[EvaluationRow]) -> Iterator[dict[str, Any]]:
    return (asdict(row) for row in found)


def _progress(count: int) -> None:
    """Count aloud where somebody watches."""
    if sys.stderr.isatty():
        click.echo(f"\r{count} evaluations", nl=False, err=True)
