"""Rows into a file that spreadsheets and programs open. Rule: in memory bounded by a row, whole or not there at all.

CSV: UTF-8 with a byte order mark, no cell a spreadsheet runs as a formula. XLSX: text is text, whatever it begins with.
A file is written beside its place and moved there when it is complete.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from store.contact import CIVIL_TIME
from store.errors import StoreError
from store.listing import BYTE_ORDER_MARK, cell, json_line

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

Row = Mapping[str, Any]
Progress = Callable[[int], None]

LARGEST_SHEET = 1_048_576 - 1  # rows below the head
LONGEST_CELL = 32_767


class ExportFailed(StoreError):
    """A file could not be written."""


class FileFormat(StrEnum):
    """What a file is."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    XLSX = "xlsx"


def write_file(
    path: Path, form: FileFormat, columns: Sequence[str], rows: Iterable[Row], progress: Progress | None = None
) -> int:
    """Write rows to a file and give how many; `progress` is told the number now and then. Raises `ExportFailed`."""
    told = _told(rows, progress)
    with _beside(path) as unfinished:
        if form is FileFormat.XLSX:
            return _xlsx(unfinished, columns, told)
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            return write_text(stream, form, columns, told)


def write_text(stream: TextIO, form: FileFormat, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write rows as CSV, JSON (one array) or JSON lines; give how many."""
    match form:
        case FileFormat.CSV:
            return _csv(stream, columns, rows)
        case FileFormat.JSON:
            return _json(stream, rows)
        case FileFormat.JSONL:
            count = 0
            for count, row in enumerate(rows, 1):  # noqa: B007  the last number is the count
                stream.write(json_line(dict(row)) + "\n")
            return count
        case FileFormat.XLSX:
            raise ExportFailed("a spreadsheet is no text: name a file with --output")


def _csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    stream.write(BYTE_ORDER_MARK)
    writer = csv.writer(stream)
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        writer.writerow([cell(row.get(column)) for column in columns])
    return count


def _json(stream: TextIO, rows: Iterable[Row]) -> int:
    count = 0
    stream.write("[")
    for count, row in enumerate(rows, 1):
        stream.write(("\n" if count == 1 else ",\n") + json_line(dict(row)))
    stream.write("\n]\n")
    return count


def _xlsx(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    import xlsxwriter  # noqa: PLC0415  only this format needs it

    text_is_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss", **text_is_text}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True})
        sheet, place, count = _sheet(book.add_worksheet(), columns, bold), 0, 0
        for count, row in enumerate(rows, 1):  # noqa: B007
            if place == LARGEST_SHEET:
                sheet, place = _sheet(book.add_worksheet(), columns, bold), 0
            place += 1
            for column, name in enumerate(columns):
                sheet.write(place, column, _for_sheet(row.get(name)))
    return count


def _sheet(sheet: "Worksheet", columns: Sequence[str], bold: object) -> "Worksheet":
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, columns, bold)
    return sheet


def _for_sheet(value: object) -> object:
    """People read a sheet: civil time, which is all a sheet's cell can say."""
    match value:
        case datetime():
            return value.astimezone(CIVIL_TIME).replace(tzinfo=None)
        case date() | bool() | int() | float() | None:
            return value
        case list() | tuple() | frozenset():
            return " ".join(str(part) for part in value)
        case dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)[:LONGEST_CELL]


def _told(rows: Iterable[Row], progress: Progress | None) -> Iterator[Row]:
    count = 0
    for count, row in enumerate(rows, 1):
        yield row
        if progress and count % 1000 == 0:
            progress(count)
    if progress:
        progress(count)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a place in the same folder; what is there at the end is moved to `path`, unless something went wrong."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            yield unfinished
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ExportFailed(f"{path} cannot be written: {error.strerror or error}") from error
