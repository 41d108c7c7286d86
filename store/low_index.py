"""Which departments are warned of a low index (8.2). Rule: none on a handful of evaluations.

PURE. No public source gives a formula for 评价指数: ours is a weighted mean, with its weights beside every figure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from store.contact import CIVIL_TIME
from store.grade import Grade

# by stars, on a scale to 100
DEFAULT_WEIGHTS: Mapping[Grade, float] = {grade: (grade.stars - 1) * 25.0 for grade in Grade}


@dataclass(frozen=True, slots=True)
class Limits:
    """When a department is warned: an index below `threshold` on at least `minimum` given evaluations."""

    threshold: float = 60.0
    minimum: int = 30


@dataclass(frozen=True, slots=True)
class Low:
    """A department whose index is too low in a period, with what the figure rests on."""

    department: str
    index: float
    count: int


@dataclass(frozen=True, slots=True)
class Period:
    """A civil month; `first` is in it, `last` too."""

    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time.min, CIVIL_TIME)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time.min, CIVIL_TIME)


def index(counts: Mapping[Grade, int], weights: Mapping[Grade, float] = DEFAULT_WEIGHTS) -> float | None:
    """Give the weighted mean of given grades to two decimals; None where there are none."""
    total = sum(counts.values())
    if not total:
        return None
    return round(sum(weights[grade] * count for grade, count in counts.items()) / total, 2)


def low(
    departments: Mapping[str, Mapping[Grade, int]],
    limits: Limits,
    weights: Mapping[Grade, float] = DEFAULT_WEIGHTS,
) -> list[Low]:
    """Rank the departments below the threshold, the lowest first."""
    found: Iterable[Low] = (
        Low(department, value, sum(counts.values()))
        for department, counts in departments.items()
        if (value := index(counts, weights)) is not None
    )
    below = [each for each in found if each.index < limits.threshold and each.count >= limits.minimum]
    return sorted(below, key=lambda each: (each.index, each.department))


def month_before(now: datetime) -> Period:
    """Give the last civil month that is over."""
    last = now.astimezone(CIVIL_TIME).date().replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)
