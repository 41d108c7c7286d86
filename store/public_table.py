"""What everybody may see of one month. Rule: whole months by department, suppressed once, printed once, never again.

PURE. One table for each month: departments x what came of each contact registered in it. Its totals tie no other table,
so neither two months nor two publications have a difference. Rates are worked out from printed counts alone.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from store.grade import Grade
from store.interval import wilson
from store.period import following
from store.suppression import Table, protect, small

NOT_ADOPTED, SILENT, UNASKED = "not_adopted", "silent", "unasked"
GRADES = tuple(str(grade) for grade in Grade)
CATEGORIES = (*GRADES, NOT_ADOPTED, SILENT, UNASKED)

SAID: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        GRADES, ("首次评价为该等级且有效的服务联系", "contacts whose first evaluation has this grade and counts")
    ),
    NOT_ADOPTED: ("首次评价经复核不予采纳的服务联系", "contacts whose first evaluation was not adopted after review"),
    SILENT: (
        "已向本人提问、未给出评价的服务联系（期满视为基本满意）",
        "asked, gave no evaluation (deemed basically satisfied after seven days)",
    ),
    UNASKED: ("未能提问的服务联系（期满视为基本满意）", "never asked (deemed basically satisfied after seven days)"),
    "total": ("当月登记、应邀评的服务联系", "contacts registered in the month, each owed an offer of evaluation"),
    "good_rate": (
        "好评率：非常满意、满意、基本满意 ÷ 五个等级之和；任一等级未公布则不公布",
        "good rate: the three upper grades ÷ all five; not given where one of them is not printed",
    ),
    "bad_cases": (
        "当月差评、按时回访数、按时整改数；可能反推小数目的不公布",
        "bad evaluations of the month, called back in time, put right in time; null where a small count could be had",
    ),
    "hidden": (
        "1至10的数目，以及可推算出此类数目的其他数目，以空值表示",
        "null: a count of 1 to 10, or one from which such a count could be worked out",
    ),
}


class Cases(StrEnum):
    """What was done about a month's bad evaluations."""

    BAD = "bad"
    CALLED_BACK = "called_back_in_time"
    RECTIFIED = "rectified_in_time"


def due(month: date, today: date, days: int) -> bool:
    """Say whether a month, given by its first day, is to be printed: over, and settled for so many days."""
    return today >= following(month) + timedelta(days=days)


def printed(counts: Mapping[tuple[str, str], int], cases: Mapping[Cases, int]) -> dict[str, Any]:
    """Give the month's public table as it is stored and served; `counts` by (department, category)."""
    table = protect(counts, CATEGORIES)
    return {
        "departments": [_line(table, code) for code in table.departments],
        "all": {name: value for name, value in _line(table, None).items() if name != "department"},
        "bad_cases": _cases(table, cases),
    }


def _line(table: Table, department: str | None) -> dict[str, Any]:
    counts = {category: table.cells[department, category] for category in CATEGORIES}
    return {
        "department": department,
        "counts": counts,
        "total": table.cells[department, None],
        "good_rate": _good_rate({grade: counts[grade] for grade in GRADES}),
    }


def _good_rate(grades: Mapping[str, int | None]) -> dict[str, Any] | None:
    given = {Grade(grade): count for grade, count in grades.items() if count is not None}
    if len(given) < len(grades) or not (of := sum(given.values())):
        return None
    hits = sum(count for grade, count in given.items() if not grade.bad)
    doubt = wilson(hits, of)
    assert doubt is not None, "of is not 0"
    return {"value": round(hits / of, 4), "low": round(doubt.low, 4), "high": round(doubt.high, 4), "of": of}


def _cases(table: Table, cases: Mapping[Cases, int]) -> dict[str, int | None]:
    """Print each number whose remainder is not small either; nothing while a total of a bad grade is hidden.

    The bad evaluations are nearly the two totals: less the one that is printed they would give the other.
    """
    bad = cases[Cases.BAD]
    totals = [table.cells[None, str(grade)] for grade in Grade if grade.bad] + [table.cells[None, NOT_ADOPTED]]
    told = None not in totals and not small(bad)
    return {
        str(name): count if told and not small(count) and not small(bad - count) else None
        for name, count in cases.items()
    }
