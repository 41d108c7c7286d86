"""Operators side by side, on what they were given to do. Rule: `store.case_mix` says it; the database does the sums.

Two hundred operators times sixty departments are too many rows to carry out of the database and too few to be slow in
it. A test holds both to each other.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Engine,
    Float,
    Integer,
    Select,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    union_all,
    values,
)

from store.case_mix import Standing, settled
from store.database import counting
from store.figure import Measure
from store.figure_count import rows
from store.figure_rollup import GOOD, Cube, half, halved, mark, tail
from store.period import Days, whole_months
from store.schema import FigureCell

_MOST = 2000  # cells in one list of values


def appraise(engine: Engine, days: Days, *, smallest: int) -> list[Standing]:
    """Give each operator's standing over civil days, ordered by operator; departments are the strata."""
    with counting(engine) as connection:
        return [
            settled(
                row.operator, int(row.of), int(row.compared or 0), int(row.hits or 0), row.expected, smallest=smallest
            )
            for row in connection.execute(_compared(_counted(connection, days)))
        ]


def _counted(connection: Connection, days: Days) -> CompoundSelect[Any]:
    """Give (operator, department, half, count), not yet summed."""
    inside, edges = whole_months(days)
    late: Counter[tuple[str, str, str]] = Counter()
    for cell, count in tail(connection, mark(connection)).items():
        if cell.measure is Measure.GIVEN and inside.holds(cell.day):
            late[cell.codes.operator, cell.codes.department, half(cell.grade)] += count
    cells = [(*key, count) for key, count in late.items() if count]
    return union_all(_rolled(inside), *(_by_row(edge) for edge in edges), *_told(cells))


def _rolled(days: Days) -> Select[Any]:
    columns: list[Any] = [FigureCell.operator, FigureCell.department, FigureCell.grade.label("half"), FigureCell.count]
    cells = select(*columns).where(FigureCell.cube == str(Cube.MIX))
    if days.since is not None:
        cells = cells.where(FigureCell.start >= days.since)
    return cells if days.until is None else cells.where(FigureCell.start < days.until)


def _by_row(days: Days) -> Select[Any]:
    source = rows(days)
    one = literal(1).label("count")
    counted = select(source.c.operator, source.c.department, halved(source.c.grade).label("half"), one)
    return counted.where(source.c.measure == str(Measure.GIVEN))


def _told(cells: list[tuple[str, str, str, int]]) -> Iterable[Select[Any]]:
    if not cells:
        return []
    names = (column("operator", Text), column("department", Text), column("half", Text), column("count", Integer))
    return [
        select(values(*names, name="told").data(some).cte(f"told{place}")) for place, some in enumerate(_some(cells))
    ]


def _some(cells: list[tuple[str, str, str, int]]) -> Iterable[list[tuple[str, str, str, int]]]:
    """Split what is told into parts that fit a statement."""
    return (cells[place : place + _MOST] for place in range(0, len(cells), _MOST))


def _compared(counted: CompoundSelect[Any]) -> Select[Any]:
    each = counted.subquery("counted")
    good = func.sum(each.c.count).filter(each.c.half == GOOD)
    own = (
        select(
            each.c.operator,
            each.c.department,
            func.coalesce(good, 0).label("good"),
            func.sum(each.c.count).label("of"),
        )
        .group_by(each.c.operator, each.c.department)
        .cte("own")
    )
    everyone = (
        select(own.c.department, func.sum(own.c.good).label("good"), func.sum(own.c.of).label("of"))
        .group_by(own.c.department)
        .cte("everyone")
    )
    shared = everyone.c.of > own.c.of
    others = cast(everyone.c.good - own.c.good, Float) / func.nullif(everyone.c.of - own.c.of, 0)
    compared = func.sum(own.c.of).filter(shared)
    return (
        select(
            own.c.operator,
            func.sum(own.c.of).label("of"),
            compared.label("compared"),
            func.sum(own.c.good).filter(shared).label("hits"),
            (func.sum(own.c.of * others).filter(shared) / compared).label("expected"),
        )
        .join(everyone, everyone.c.department == own.c.department)
        .where(own.c.of > 0)
        .group_by(own.c.operator)
        .order_by(own.c.operator)
    )
