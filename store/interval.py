"""How far a figure may be off. Rule: arithmetic only; a share is a float from 0 to 1, never a percentage."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054  # the normal distribution's 97.5 % point: 95 % lie between -Z95 and +Z95


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of values, both ends included."""

    low: float
    high: float


def wilson(hits: int, of: int, z: float = Z95) -> Interval | None:
    """Give the score interval of a share (Wilson 1927): holds near 0 and 1 and for few rows; None of nothing.

    `ValueError` unless 0 <= hits <= of.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    if of == 0:
        return None
    share, square = hits / of, z * z / of
    centre = (share + square / 2) / (1 + square)
    half = z / (1 + square) * sqrt(share * (1 - share) / of + square / (4 * of))
    # at the ends the bound is exact, which floats would miss by a hair
    return Interval(0.0 if hits == 0 else max(0.0, centre - half), 1.0 if hits == of else min(1.0, centre + half))


def silence(hits: int, of: int, silent: int) -> Interval | None:
    """Give the share if every silent person had been a miss, and if every one had been a hit.

    No assumption about who keeps silent is needed for this range, and no larger sample narrows it.
    """
    if of + silent == 0:
        return None
    return Interval(hits / (of + silent), (hits + silent) / (of + silent))


def mean(weights: Mapping[float, int], z: float = Z95) -> tuple[float, Interval] | None:
    """Give the mean of values met so often, with its normal interval kept inside the values; None of nothing.

    `weights`: value -> how often. One row alone says nothing about the spread: its interval is the whole scale.
    """
    of = sum(weights.values())
    if of == 0:
        return None
    centre = sum(value * count for value, count in weights.items()) / of
    lowest, highest = min(weights), max(weights)
    if of == 1:
        return centre, Interval(lowest, highest)
    spread = sum(count * (value - centre) ** 2 for value, count in weights.items()) / (of - 1)
    half = z * sqrt(spread / of)
    return centre, Interval(max(lowest, centre - half), min(highest, centre + half))
