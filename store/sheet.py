"""A table somebody made in a spreadsheet: CSV or XLSX in, lines of text out. Rule: its size is known before it is read.

CSV comes from Excel in UTF-8 or, in China, in GB 18030; XLSX is a ZIP that could unfold without end.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

MOST_LINES = 5_000
_MOST_UNFOLDED = 100 * 1024 * 1024
_ZIP = b"PK\x03\x04"


class SheetMistake(Exception):
    """The file is no table; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line under the header: its number in the file and its cells by their header, blank ones left out."""

    number: int
    cells: dict[str, str]


def read_sheet(data: bytes) -> list[Line]:
    """Read a table whose first line is the header; raises `SheetMistake`."""
    rows = _workbook(data) if data.startswith(_ZIP) else _text(data)
    lines = list(rows)
    if not lines:
        raise SheetMistake("the file is empty")
    header = [cell.strip().lower() for cell in lines[0][1]]
    if twice := {name for name in header if name and header.count(name) > 1}:
        raise SheetMistake(f"two columns are headed {', '.join(sorted(twice))}")
    return list(_lines(header, lines[1:]))


def _lines(header: list[str], rows: Iterable[tuple[int, list[str]]]) -> Iterator[Line]:
    for count, (number, row) in enumerate(rows):
        if count >= MOST_LINES:
            raise SheetMistake(f"at most {MOST_LINES} lines at once: split the file")
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if name and cell.strip()}
        if cells:
            yield Line(number, cells)


def _text(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _chinese(data)
    if "\0" in text:
        raise SheetMistake("it is neither CSV nor XLSX")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise SheetMistake(f"line {reader.line_num}: {error}") from error


def _chinese(data: bytes) -> str:
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise SheetMistake("it is neither UTF-8 nor GB 18030") from error


def _workbook(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            unfolded = sum(part.file_size for part in parts.infolist())
        if unfolded > _MOST_UNFOLDED:
            raise SheetMistake("it unfolds to more than a table needs")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True, max_row=MOST_LINES + 2)
        yield from ((number, [_cell(value) for value in row]) for number, row in enumerate(rows, 1))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError, SyntaxError) as error:
        raise SheetMistake("it is no XLSX file that can be read") from error


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            # a date is a time at midnight to a spreadsheet
            return value.date().isoformat() if value.time() == time() else value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
