"""The rollups: cells of `store.figure`, summed by day or month. Rule: exact up to the mark; what follows is the tail.

The ledger's order is the order of commits, so rollups that stand at an entry lack nothing before it. Writers pay
nothing for them. `fold` (a job) moves the mark on; a reader adds the tail, so the job makes it fast and not right.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Engine,
    FromClause,
    Select,
    TableClause,
    Text,
    case,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from store.civil_sql import first_of_month
from store.database import plan_simply, steady, writing
from store.figure import DEADLINES, Cell, Measure, change
from store.figure_count import rows
from store.figure_history import histories, touched
from store.grade import Grade
from store.ledger import head
from store.period import ALWAYS, month
from store.schema import FigureCell, FigureMark

STEP = 3000  # entries of the ledger folded in one transaction
MARK = 1
_SOME = 2000  # cells in one statement


class Cube(StrEnum):
    """Which codes a rollup tells apart; the fewer, the sooner summed. Items and operators are many: by month alone."""

    CITY = "city"  # by day: channel
    DAY = "day"  # by day: department, channel
    MONTH = "month"  # by month: department, channel
    ITEM = "item"  # by month: department, item, channel
    OPERATOR = "operator"  # by month: operator, channel
    MIX = "mix"  # by month: operator, department; good and bad of what was given, to compare operators by

    @property
    def tells(self) -> frozenset[str]:
        """The codes told apart."""
        return _TELLS[self]

    @property
    def monthly(self) -> bool:
        """Whether a cell is a month and not a day."""
        return self not in (Cube.CITY, Cube.DAY)

    @property
    def measures(self) -> frozenset[Measure]:
        """What is counted in it. Deadlines are the department's."""
        if self is Cube.MIX:
            return frozenset({Measure.GIVEN})
        return frozenset(Measure) - (DEADLINES if self in (Cube.ITEM, Cube.OPERATOR) else frozenset())


_TELLS = {
    Cube.CITY: frozenset({"channel"}),
    Cube.DAY: frozenset({"department", "channel"}),
    Cube.MONTH: frozenset({"department", "channel"}),
    Cube.ITEM: frozenset({"department", "item", "channel"}),
    Cube.OPERATOR: frozenset({"operator", "channel"}),
    Cube.MIX: frozenset({"operator", "department"}),
}
GOOD, BAD = "good", "bad"  # the grades of `Cube.MIX`
_BAD_GRADES = tuple(str(grade) for grade in Grade if grade.bad)
_CODES = ("department", "item", "operator", "channel")
_KEY = ("cube", "start", *_CODES, "measure", "grade")


@dataclass(frozen=True, slots=True)
class Folded:
    """How far a fold came: entries folded, and entries left."""

    entries: int
    left: int


def mark(connection: Connection) -> int:
    """Give the ledger entry up to which the rollups are counted."""
    return connection.scalar(select(FigureMark.seq).where(FigureMark.id == MARK)) or 0


def tail(connection: Connection, after: int) -> Counter[Cell]:
    """Count what the ledger holds after an entry: in a snapshot, or two statements may not agree on the end."""
    found: Counter[Cell] = Counter()
    end = head(connection).seq
    while after < end:
        upto = min(after + STEP, end)
        found.update(_changed(connection, after, upto))
        after = upto
    return found


def fold(engine: Engine) -> Folded:
    """Bring the rollups forward by one step; folds of several processes take turns."""
    with writing(engine) as connection:
        after = _locked_mark(connection)
        end = head(connection).seq
        upto = min(after + STEP, end)
        if upto > after:
            _add(connection, _changed(connection, after, upto))
            connection.execute(update(FigureMark).where(FigureMark.id == MARK).values(seq=upto))
    return Folded(upto - after, end - upto)


def rebuild(engine: Engine) -> int:
    """Count all anew, row by row, in one snapshot; give the number of cells. For a store older than its rollups."""
    with writing(steady(engine)) as connection:
        plan_simply(connection)
        _locked_mark(connection)
        end = head(connection).seq
        connection.execute(delete(FigureCell))
        source = _gathered(connection)
        for cube in Cube:
            # in the order of time, as folding would have made them: a few days then lie together on the disk
            cells = counted(cube, source).order_by("start")
            connection.execute(insert(FigureCell).from_select([*_KEY, "count"], cells))
        connection.exec_driver_sql(f"DROP TABLE {source.name}")
        connection.execute(update(FigureMark).where(FigureMark.id == MARK).values(seq=end))
        return int(connection.scalar(select(func.count()).select_from(FigureCell)) or 0)


def _gathered(connection: Connection) -> TableClause:
    """Look at every row once, into a table that nobody else sees; each rollup is then summed from it."""
    found = select(rows(ALWAYS)).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE counted AS {found}")
    return table("counted", column("day", Date), *(column(name, Text) for name in (*_CODES, "measure", "grade")))


def counted(cube: Cube, source: FromClause) -> Select[Any]:
    """Count a cube's cells from rows as `figure_count.rows` gives them: the columns of `figure`."""
    start = first_of_month(source.c.day) if cube.monthly else source.c.day
    codes = [_told(cube, name, source.c[name]) for name in _CODES]
    grade = halved(source.c.grade) if cube is Cube.MIX else source.c.grade
    told: list[ColumnElement[Any]] = [start, *(code for code in codes if code is not None)]
    columns = [
        literal(str(cube)).label("cube"),
        start.label("start"),
        *(literal("").label(name) if code is None else code for name, code in zip(_CODES, codes, strict=True)),
        source.c.measure,
        grade.label("grade"),
        func.count().label("count"),
    ]
    grouped = select(*columns).group_by(*told, source.c.measure, grade)
    return grouped.where(source.c.measure.in_(sorted(cube.measures)))


def rolled(cells: Mapping[Cell, int]) -> dict[tuple[Any, ...], int]:
    """Sum cells into the rollups' keys: cube, start, four codes, measure, grade."""
    found: Counter[tuple[Any, ...]] = Counter()
    for cell, count in cells.items():
        for cube in Cube:
            if cell.measure in cube.measures:
                found[_key(cube, cell)] += count
    return {key: count for key, count in found.items() if count}


def _key(cube: Cube, cell: Cell) -> tuple[Any, ...]:
    start: date = month(cell.day) if cube.monthly else cell.day
    codes = (value if name in cube.tells else "" for name, value in zip(_CODES, cell.codes, strict=True))
    grade = half(cell.grade) if cube is Cube.MIX else cell.grade
    return (str(cube), start, *codes, str(cell.measure), str(grade))


def half(grade: str) -> str:
    """Say which half of the scale a grade is in."""
    return BAD if grade in _BAD_GRADES else GOOD


def halved(grade: ColumnElement[Any]) -> ColumnElement[Any]:
    """Say the same in SQL."""
    return case((grade.in_(_BAD_GRADES), literal_column(f"'{BAD}'")), else_=literal_column(f"'{GOOD}'"))


def _told(cube: Cube, name: str, column: ColumnElement[Any]) -> ColumnElement[Any] | None:
    return column if name in cube.tells else None


def _changed(connection: Connection, after: int, upto: int) -> Counter[Cell]:
    return change(histories(connection, touched(connection, after, upto)), after, upto)


def _locked_mark(connection: Connection) -> int:
    """Hold the mark until the transaction ends; SQLite's writers hold the whole database already."""
    found = connection.scalar(select(FigureMark.seq).where(FigureMark.id == MARK).with_for_update())
    assert found is not None, "the migration made the mark"
    return found


def _add(connection: Connection, cells: Mapping[Cell, int]) -> None:
    """Add to the cells that are there, make the others; in one order, as whoever else may write them."""
    sums = sorted(rolled(cells).items())
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(FigureCell)
    added = new.on_conflict_do_update(index_elements=_KEY, set_={"count": FigureCell.count + new.excluded["count"]})
    for some in _some(sums):
        connection.execute(added, [dict(zip(_KEY, key, strict=True)) | {"count": count} for key, count in some])


def _some(sums: list[tuple[tuple[Any, ...], int]]) -> Iterable[list[tuple[tuple[Any, ...], int]]]:
    return (sums[place : place + _SOME] for place in range(0, len(sums), _SOME))
