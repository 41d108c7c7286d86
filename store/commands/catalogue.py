"""`catalogue import|list`: departments, items, desks, operators, platforms from a table."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from store.catalogue import Entry, Kind, current, synchronise
from store.commands.edge import OneOf, now, opened
from store.database import reading, writing
from store.listing import Format, write
from store.sheet import Line, SheetMistake, read_sheet

COLUMNS = ("kind", "code", "version", "name", "department", "area", "active", "recorded_at")
_OWN = ("code", "name", "department", "area")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """The public row of an entry's present version."""

    kind: str
    code: str
    version: int
    name: str
    department: str | None
    area: str | None
    active: bool
    attributes: dict[str, str]
    recorded_at: datetime


@click.group()
def catalogue() -> None:
    """Synchronise what contacts and evaluations name by code."""


@catalogue.command("import")
@click.argument("kind", type=OneOf(Kind))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--partial", is_flag=True, help="The file does not name all: withdraw nothing.")
def import_(kind: Kind, file: Path, partial: bool) -> None:
    """Bring the catalogue KIND to what a CSV or XLSX FILE says; one bad line, and nothing is changed.

    Columns: code, name, department, area; any other becomes an attribute. Entries the file does not name are
    withdrawn: nothing is ever deleted.
    """
    try:
        lines = read_sheet(file.read_bytes())
    except SheetMistake as mistake:
        raise click.UsageError(f"{file}: {mistake}") from mistake
    if not lines:
        raise click.UsageError(f"{file} has no entries: a whole catalogue is not withdrawn by an empty file")
    if mistakes := _mistakes(lines):
        click.echo("\n".join(mistakes))
        click.echo("nothing was imported", err=True)
        sys.exit(1)
    with opened() as store, writing(store.engine) as connection:
        done = synchronise(
            connection, store.keys, kind, [_entry(line) for line in lines], complete=not partial, now=now()
        )
    click.echo(
        f"{kind}: {done.added} added, {done.changed} changed, {done.withdrawn} withdrawn, {done.unchanged} unchanged"
    )


@catalogue.command("list")
@click.argument("kind", type=OneOf(Kind), required=False)
@click.option("--format", "form", type=OneOf(Format), default="table", show_default=True)
def list_(kind: Kind | None, form: Format) -> None:
    """List the present version of every entry, withdrawn ones too."""
    with opened() as store, reading(store.engine) as connection:
        names = CatalogueRow.__slots__
        rows = [
            CatalogueRow(**{name: row[name] for name in names}) for row in connection.execute(current(kind)).mappings()
        ]
    write(rows, CatalogueRow, form, COLUMNS)


def _mistakes(lines: Sequence[Line]) -> list[str]:
    found: list[str] = []
    first: dict[str, int] = {}
    for line in lines:
        reasons = [f"{name} is missing" for name in ("code", "name") if name not in line.cells]
        reasons += [
            f"{name} is longer than {_LONGEST} characters or holds control characters"
            for name, value in line.cells.items()
            if len(value) > _LONGEST or not value.isprintable()
        ]
        code = line.cells.get("code")
        if code and (earlier := first.setdefault(code, line.number)) != line.number:
            reasons.append(f"code {code} stands on line {earlier} too")
        found += [f"line {line.number}: {reason}" for reason in reasons]
    return found


def _entry(line: Line) -> Entry:
    cells = line.cells
    attributes = {name: value for name, value in cells.items() if name not in _OWN}
    return Entry(cells["code"], cells["name"], cells.get("department"), cells.get("area"), attributes)
