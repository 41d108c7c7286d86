"""The figures of a selection. Rule: rollups for what they hold, rows for what they do not, and both agree to the row.

By time, department and channel every day is in a rollup; by item and operator whole months are, and the days at either
end of a range are counted row by row. What the ledger holds after the rollups' mark is added: no figure is late.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, FromClause, and_, func, or_, select

from store.civil_sql import first_of_month
from store.database import counting
from store.figure import CONTACTS, DEADLINES, Cell, Measure
from store.figure_count import rows
from store.figure_rollup import Cube, mark, tail
from store.grade import Grade
from store.period import ALWAYS, Days, civil_day, month, split, whole_months
from store.rates import Tally
from store.schema import FigureCell


class By(StrEnum):
    """What figures can be told apart by."""

    DAY = "day"
    MONTH = "month"
    DEPARTMENT = "department"
    ITEM = "item"
    OPERATOR = "operator"
    CHANNEL = "channel"


TIMES = frozenset({By.DAY, By.MONTH})


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures: over which civil days, told apart by what, of which department, item, operator, channel."""

    days: Days = ALWAYS
    by: tuple[By, ...] = ()
    where: Mapping[By, str] = field(default_factory=dict)

    @property
    def codes(self) -> frozenset[str]:
        """The codes it needs told apart."""
        return frozenset(str(by) for by in (*self.by, *self.where) if by not in TIMES)


class Group(NamedTuple):
    """The counts of one group. `key` has a value for each of the question's `by`; None: unknown."""

    key: tuple[str | None, ...]
    tally: Tally


_Sums = Counter[tuple[tuple[str, ...], str, str]]  # key, measure, grade


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as of a civil day."""

    question: Question
    today: date

    @property
    def measures(self) -> frozenset[Measure]:
        """What can be told: no coverage by channel, no deadlines by item or operator."""
        codes = self.question.codes
        untold = CONTACTS if "channel" in codes else frozenset()
        return frozenset(Measure) - untold - (DEADLINES if codes & {"item", "operator"} else frozenset())

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is asked for; its day apart."""
        codes = cell.codes._asdict()
        asked = all(codes[str(by)] == value for by, value in self.question.where.items())
        return asked and cell.measure in self.measures and (cell.measure not in DEADLINES or cell.day < self.today)

    def wanted(self, source: FromClause, day: ColumnElement[Any]) -> ColumnElement[bool]:
        """Say the same to the database."""
        run_out = or_(source.c.measure.not_in(sorted(DEADLINES)), day < self.today)
        codes = (source.c[str(by)] == value for by, value in self.question.where.items())
        return and_(source.c.measure.in_(sorted(self.measures)), run_out, *codes)


def answer(engine: Engine, question: Question, now: datetime) -> list[Group]:
    """Give the groups, ordered by their keys: by rate would be a ranking (国办函〔2025〕66号 wants none one-sided).

    Deadlines count once they have run out, whole days only. By channel no coverage is told, for who was never asked
    came by none; by item and operator no deadlines, for they are the department's.
    """
    asked, cube = _Asked(question, civil_day(now)), _cube(question)
    with counting(engine) as connection:
        sums = _from_rows(connection, asked, [question.days]) if cube is None else _from(connection, asked, cube)
    return _groups(sums)


def total(groups: Iterable[Group]) -> Tally:
    """Count the groups of one question as one."""
    return sum((group.tally for group in groups), Tally())


def _cube(question: Question) -> Cube | None:
    """Choose the smallest rollup that tells apart what is asked; None where only the rows do."""
    daily = By.DAY in question.by
    choices = (Cube.CITY, Cube.DAY) if daily else (Cube.CITY, Cube.MONTH, Cube.ITEM, Cube.OPERATOR)
    return next((cube for cube in choices if question.codes <= cube.tells), None)


def _from(connection: Connection, asked: _Asked, cube: Cube) -> _Sums:
    inside, finer, by_row = _parts(asked, cube)
    sums = _from_cube(connection, asked, cube, inside)
    for days in finer:
        sums.update(_from_cube(connection, asked, Cube.DAY, days))
    sums.update(_from_cells(tail(connection, mark(connection)), asked, [inside, *finer]))
    sums.update(_from_rows(connection, asked, by_row))
    return sums


def _parts(asked: _Asked, cube: Cube) -> tuple[Days, list[Days], list[Days]]:
    """Split the days asked for: those in this rollup, those in the rollup by day, those counted by row."""
    days = asked.question.days
    if not cube.monthly:
        return days, [], []
    if cube is not Cube.MONTH:
        inside, edges = whole_months(days)
        return inside, [], edges
    # in the month that runs some deadlines have run out and some have not
    before, after = split(days, month(asked.today))
    inside, edges = whole_months(before)
    return inside, [part for part in (*edges, after) if not part.empty], []


def _from_cube(connection: Connection, asked: _Asked, cube: Cube, days: Days) -> _Sums:
    table = FigureCell.__table__
    wanted = [table.c.cube == str(cube)]
    if days.since is not None:
        wanted.append(table.c.start >= days.since)
    if days.until is not None:
        wanted.append(table.c.start < days.until)
    return _summed(connection, asked, table, table.c.start, func.sum(table.c["count"]), *wanted)


def _from_rows(connection: Connection, asked: _Asked, ranges: Iterable[Days]) -> _Sums:
    sums: _Sums = Counter()
    for days in ranges:
        counted = rows(days)
        sums.update(_summed(connection, asked, counted, counted.c.day, func.count()))
    return sums


def _summed(
    connection: Connection,
    asked: _Asked,
    source: FromClause,
    day: ColumnElement[Any],
    count: ColumnElement[Any],
    *wanted: ColumnElement[bool],
) -> _Sums:
    columns = [*(_column(by, source, day) for by in asked.question.by), source.c.measure, source.c.grade]
    summed = select(*columns, count).where(asked.wanted(source, day), *wanted).group_by(*columns)
    sums: _Sums = Counter()
    for *key, measure, grade, found in connection.execute(summed):
        sums[tuple(str(part) for part in key), measure, grade] += int(found)
    return sums


def _column(by: By, source: FromClause, day: ColumnElement[Any]) -> ColumnElement[Any]:
    match by:
        case By.DAY:
            return day
        case By.MONTH:
            return first_of_month(day)
        case _:
            return source.c[str(by)]


def _from_cells(cells: Mapping[Cell, int], asked: _Asked, parts: Sequence[Days]) -> _Sums:
    sums: _Sums = Counter()
    for cell, count in cells.items():
        if any(days.holds(cell.day) for days in parts) and asked.holds(cell):
            key = tuple(_part(by, cell) for by in asked.question.by)
            sums[key, str(cell.measure), cell.grade] += count
    return sums


def _part(by: By, cell: Cell) -> str:
    match by:
        case By.DAY:
            return str(cell.day)
        case By.MONTH:
            return str(month(cell.day))
        case _:
            return str(cell.codes._asdict()[str(by)])


def _groups(sums: _Sums) -> list[Group]:
    found: defaultdict[tuple[str, ...], Counter[tuple[str, str]]] = defaultdict(Counter)
    for (key, measure, grade), count in sums.items():
        if count:
            found[key][measure, grade] += count
    return [Group(tuple(part or None for part in key), _tally(found[key])) for key in sorted(found)]


def _tally(counts: Mapping[tuple[str, str], int]) -> Tally:
    def one(measure: Measure) -> int:
        return counts.get((str(measure), ""), 0)

    def each(measure: Measure) -> dict[Grade, int]:
        return {grade: count for grade in Grade if (count := counts.get((str(measure), str(grade)), 0))}

    return Tally(
        owed=one(Measure.OWED),
        asked=one(Measure.ASKED),
        rated=one(Measure.RATED),
        given=each(Measure.GIVEN),
        not_adopted=each(Measure.NOT_ADOPTED),
        deemed=each(Measure.DEEMED),
        follow_ups=each(Measure.FOLLOW_UP),
        call_backs_due=one(Measure.CALL_BACK_DUE),
        called_back_in_time=one(Measure.CALLED_BACK),
        rectifications_due=one(Measure.RECTIFY_DUE),
        rectified_in_time=one(Measure.RECTIFIED),
    )
