"""Which cells of a public table stay hidden. Rule: no count of 1-10 is printed, and none can be worked out.

A table of departments x categories is printed with both totals, so that hiding the small counts alone hides nothing: a
total less the other cells gives them back. Read as a network (departments and categories are nodes, a cell is an arc
from its department to its category, the totals are the arcs back) the hidden cells may be any whole numbers that keep
the flow balanced; how far one of them can be moved is a maximum flow. Every small count is given room to be larger by
`ROOM`, which no confinement to 1-10 survives, by hiding the cheapest further cells. The reader is taken to know that
zeros are always printed, hence that every hidden cell is 1 or more. (Bridges: Gusfield 1988; flows: Cox 1995.)

Tables of different months share no total and are frozen once printed (`store.publication`), so nothing can be had from
the difference of two publications; a year's total, which would tie twelve tables together, is not printed.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import inf, log2

LARGEST_HIDDEN = 10
ROOM = 10  # a small count x could, for all that is printed, be x + 10 or more: never confined to 1-10

Cell = tuple[str | None, str | None]  # department, category; None is the total of that side
Node = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Table:
    """Counts as printed; None is hidden. `cells` holds the totals too, under None."""

    departments: tuple[str, ...]
    categories: tuple[str, ...]
    cells: Mapping[Cell, int | None]


def small(value: int) -> bool:
    """Say whether a count may not be printed for its own sake."""
    return 1 <= value <= LARGEST_HIDDEN


def with_totals(counts: Mapping[tuple[str, str], int], categories: Sequence[str]) -> dict[Cell, int]:
    """Fill in zeros and add the totals of both sides."""
    departments = sorted({department for department, _category in counts})
    cells: dict[Cell, int] = {}
    for department in (*departments, None):
        for category in (*categories, None):
            cells[department, category] = 0
    for (department, category), value in counts.items():
        for cell in ((department, category), (department, None), (None, category), (None, None)):
            cells[cell] += value
    return cells


def protect(counts: Mapping[tuple[str, str], int], categories: Sequence[str]) -> Table:
    """Give the table that may be printed of counts >= 0 by (department, category)."""
    cells = with_totals(counts, categories)
    hidden = {cell for cell, value in cells.items() if small(value)}
    network = _Network(cells, {cell for cell, value in cells.items() if value > 0})
    for cell in sorted(hidden, key=lambda cell: (-cells[cell], _order(cell))):
        hidden = _cover(cells, network, hidden, cell)
    hidden = _thinned(cells, hidden)
    departments = tuple(sorted({cell[0] for cell in cells if cell[0] is not None}))
    printed = {cell: None if cell in hidden else value for cell, value in cells.items()}
    return Table(departments, tuple(categories), printed)


def _order(cell: Cell) -> tuple[str, str]:
    return cell[0] or "", cell[1] or ""


def _arc(cell: Cell) -> tuple[Node, Node]:
    """Cells run from their department to their category, totals back, the grand total from total to total."""
    department, category = ("department", cell[0]), ("category", cell[1])
    backwards = (cell[0] is None) != (cell[1] is None)
    return (category, department) if backwards else (department, category)


class _Network:
    """What each usable cell can give and take while room is sought for one of them."""

    def __init__(self, cells: Mapping[Cell, int], usable: set[Cell]) -> None:
        self._arcs: dict[Node, list[tuple[Node, Cell, int]]] = {}
        self._moved: dict[Cell, int] = {}
        self._cells = cells
        self._sought: Cell | None = None
        for cell in sorted(usable, key=_order):
            start, end = _arc(cell)
            self._arcs.setdefault(start, []).append((end, cell, +1))
            self._arcs.setdefault(end, []).append((start, cell, -1))

    def seek(self, cell: Cell) -> tuple[Node, Node]:
        """Begin anew for one cell; give the nodes between which its balance must be found without it."""
        self._moved.clear()
        self._sought = cell
        start, end = _arc(cell)
        return end, start

    def capacity(self, cell: Cell, way: int) -> float:
        """Upward without end; downward to 1, for zeros are printed."""
        return inf if way > 0 else self._cells[cell] + self._moved.get(cell, 0) - 1

    def steps(self, node: Node) -> list[tuple[Node, Cell, int]]:
        found = self._arcs.get(node, ())
        return [step for step in found if step[1] != self._sought and self.capacity(step[1], step[2]) > 0]

    def send(self, path: list[tuple[Cell, int]], wanted: float) -> int:
        """Move as much as the path bears, `wanted` at most."""
        amount = int(min(wanted, *(self.capacity(cell, way) for cell, way in path)))
        for cell, way in path:
            self._moved[cell] = self._moved.get(cell, 0) + way * amount
        return amount


def _room(network: _Network, cell: Cell) -> set[Cell] | None:
    """Find cells by which a hidden cell could be larger by `ROOM`, for all that is printed; None if there are none."""
    start, end = network.seek(cell)
    sent, used = 0, set[Cell]()
    while sent < ROOM:
        path = _shortest(network, start, end)
        if not path:
            return None
        sent += network.send(path, ROOM - sent)
        used |= {other for other, _way in path}
    return used


def _shortest(network: _Network, start: Node, end: Node) -> list[tuple[Cell, int]]:
    """Find the path of fewest cells; empty where there is none."""
    reached: dict[Node, tuple[Node, Cell, int] | None] = {start: None}
    waiting = deque([start])
    while waiting and end not in reached:
        node = waiting.popleft()
        for other, cell, way in network.steps(node):
            if other not in reached:
                reached[other] = (node, cell, way)
                waiting.append(other)
    return _walk(reached, end)


def _walk(reached: Mapping[Node, tuple[Node, Cell, int] | None], end: Node) -> list[tuple[Cell, int]]:
    path: list[tuple[Cell, int]] = []
    step = reached.get(end)
    while step:
        node, cell, way = step
        path.append((cell, way))
        step = reached[node]
    return path


def _cover(cells: Mapping[Cell, int], network: _Network, hidden: set[Cell], cell: Cell) -> set[Cell]:
    """Hide further cells until `cell` has its room: the cheapest path, then the next.

    There always is one: upward through the totals of both sides, which bear any amount.
    """
    start, end = network.seek(cell)
    chosen = set(hidden)
    sent = 0
    while sent < ROOM:
        path = _cheapest(network, start, end, partial(_cost, cells, chosen))
        sent += network.send(path, ROOM - sent)
        chosen |= {other for other, _way in path}
    return chosen


def _cost(cells: Mapping[Cell, int], hidden: set[Cell], cell: Cell) -> float:
    """What readers lose by a hidden cell: more by a large one, far more by a total, nothing by one already hidden."""
    if cell in hidden:
        return 0.0
    totals = (cell[0] is None) + (cell[1] is None)
    return (1 + log2(1 + cells[cell])) * (1, 20, 400)[totals]


def _cheapest(network: _Network, start: Node, end: Node, cost: Callable[[Cell], float]) -> list[tuple[Cell, int]]:
    """Find the path that hides least (Dijkstra)."""
    reached: dict[Node, tuple[Node, Cell, int] | None] = {}
    ties = count()
    waiting: list[tuple[float, int, Node, tuple[Node, Cell, int] | None]] = [(0.0, next(ties), start, None)]
    while waiting and end not in reached:
        spent, _tie, node, step = heappop(waiting)
        if node in reached:
            continue
        reached[node] = step
        for other, cell, way in network.steps(node):
            if other not in reached:
                heappush(waiting, (spent + cost(cell), next(ties), other, (node, cell, way)))
    return _walk(reached, end)


def _thinned(cells: Mapping[Cell, int], hidden: set[Cell]) -> set[Cell]:
    """Print again, the dearest first, what was hidden on the way to the whole and the whole no longer needs.

    A small count is looked at anew only where its room went through the cell in question.
    """
    network = _Network(cells, hidden)
    rooms = {cell: _room(network, cell) or set() for cell in hidden if small(cells[cell])}
    left = set(hidden)
    for spare in sorted(hidden - set(rooms), key=lambda cell: (-_cost(cells, set(), cell), _order(cell))):
        network = _Network(cells, left - {spare})
        others = {cell: _room(network, cell) for cell, used in rooms.items() if spare in used}
        if all(used is not None for used in others.values()):
            left.discard(spare)
            rooms |= {cell: used for cell, used in others.items() if used is not None}
    return left
