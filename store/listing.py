"""Rows on standard output as a table, JSON lines or CSV. Rule: machines get UTC and every field, people get civil time.

CSV opens in spreadsheets as it is: UTF-8 with a byte order mark, and no cell that a spreadsheet would run as a formula.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import click
from rich.console import Console
from rich.table import Table

from store.contact import CIVIL_TIME

BYTE_ORDER_MARK = "\ufeff"
# a spreadsheet reads a cell that begins so as a formula; tab and carriage return are skipped before it looks
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


class _Row(Protocol):
    """Any of the store's row dataclasses."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


def write(rows: Iterable[_Row], kind: type[_Row], form: Format, columns: Sequence[str]) -> None:
    """Write rows of one kind; `columns`: those a table shows, the other forms have every field."""
    match form:
        case Format.JSONL:
            for row in rows:
                click.echo(json_line(asdict(row)))
        case Format.CSV:
            for part in csv_text(rows, [field.name for field in fields(kind)]):
                click.echo(part, nl=False)
        case Format.TABLE:
            _table(rows, columns)


def json_line(values: dict[str, Any]) -> str:
    """Give one line of JSON; times as `2026-11-22T06:00:00.000000Z`."""
    return json.dumps(values, ensure_ascii=False, default=_plain)


def csv_text(rows: Iterable[_Row], names: Sequence[str]) -> Iterator[str]:
    """Give the parts of a CSV file (RFC 4180, with a byte order mark), one row at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow(names)
    for row in rows:
        yield _taken(buffer)
        writer.writerow([cell(value) for value in asdict(row).values()])
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _plain(value: object) -> object:
    match value:
        case datetime():
            return utc_text(value)
        case frozenset():
            return sorted(value)
        case _:
            return value


def utc_text(moment: datetime) -> str:
    """Write a moment for machines: ISO 8601, UTC, microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def cell(value: object) -> str:
    """Write a value for a CSV cell that no spreadsheet runs as a formula."""
    plain = _plain(value)
    match plain:
        case None:
            return ""
        case bool():
            return "true" if plain else "false"
        case list():
            return " ".join(str(part) for part in plain)
    text = str(plain)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int | float) else text


def _table(rows: Iterable[_Row], columns: Sequence[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007  the last number is the count
        table.add_row(*(shown(getattr(row, column)) for column in columns))
    # into a pipe or a file nothing is folded to a screen nobody has
    Console(width=None if sys.stdout.isatty() else 10_000, markup=False, highlight=False).print(table)
    if not count:
        click.echo("nothing to list", err=True)


def shown(value: object) -> str:
    """Write a value for people: civil time, nothing that moves the cursor."""
    return f"{value.astimezone(CIVIL_TIME):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else _for_screen(value)


def _for_screen(value: object) -> str:
    text = _plain(value)
    if isinstance(text, list):
        text = " ".join(str(part) for part in text)
    # a Call-ID or a matter comes from outside: it may not move the reader's cursor
    return "" if text is None else "".join(mark if mark.isprintable() else "�" for mark in str(text))
