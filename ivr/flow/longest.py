"""The longest way through an exploration, and whether there is one at all.

The call-length timer is left out: it is the net below the flow, and what it would catch is what must be found.
"""

from collections import deque
from collections.abc import Iterator

from ivr.flow.events import Timer, TimerFired
from ivr.flow.exploration import Exploration, Step


def circle_in(walk: Exploration) -> list[Step]:
    """Return the fewest steps from the earliest place of some circle back to it; none if no call can turn in one."""
    circle = _search(walk)[0]
    return _round(walk, min(step.target for step in circle)) if circle else []


def _round(walk: Exploration, start: int) -> list[Step]:
    """Search breadth first for the way back to where it starts; there is one."""
    ways: dict[int, list[Step]] = {start: []}
    ahead = deque([start])
    while True:
        place = ahead.popleft()
        for step in _steps(walk, place):
            if step.target == start:
                return [*ways[place], step]
            if step.target not in ways:
                ways[step.target] = [*ways[place], step]
                ahead.append(step.target)


def longest_way(walk: Exploration) -> list[Step]:
    """Return the steps of the longest call in seconds. The exploration must have no circle."""
    best: dict[int, tuple[float, Step | None]] = {}
    for place in _search(walk)[1]:
        choices = [(step.seconds + best[step.target][0], step) for step in _steps(walk, place)]
        best[place] = max(choices, key=lambda choice: choice[0], default=(0.0, None))
    steps: list[Step] = []
    step = best[0][1]
    while step is not None:
        steps.append(step)
        step = best[step.target][1]
    return steps


def _search(walk: Exploration) -> tuple[list[Step], list[int]]:
    """Search depth first: the first circle met, else all places, each after those it leads to."""
    finished: dict[int, None] = {}
    depth = {0: 0}  # of the places on the way from place 0 to the present one
    way: list[Step] = []
    stack = [(0, _steps(walk, 0))]
    while stack:
        place, steps = stack[-1]
        step = next(steps, None)
        if step is None:
            stack.pop()
            del way[-1:], depth[place]
            finished[place] = None
        elif step.target in depth:
            return [*way[depth[step.target] :], step], []
        elif step.target not in finished:
            depth[step.target] = len(stack)
            way.append(step)
            stack.append((step.target, _steps(walk, step.target)))
    return [], list(finished)


def _steps(walk: Exploration, place: int) -> Iterator[Step]:
    return (step for step in walk.places[place].steps if not _is_call_length(step))


def _is_call_length(step: Step) -> bool:
    return isinstance(step.event, TimerFired) and step.event.timer is Timer.CALL_LENGTH
