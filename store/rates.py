"""The figures of the standard, computed from counts. Rule: no figure without its definition and its doubt beside it.

No source gives a formula for most of them, so the definitions are ours and are printed with every number. Given,
deemed and not adopted are never added up unsaid: each has its own count, and a variant says so in its name.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from store.grade import Grade
from store.interval import Interval, mean, silence, wilson
from store.low_index import DEFAULT_WEIGHTS

Grades = Mapping[Grade, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted over one selection of contacts, evaluations and cases.

    Contacts count on the civil day they were registered, evaluations on the day this server recorded them, deadlines
    on the day they ran out. Only rows bound to a contact are in it. `given`, `not_adopted`, `deemed`: the first round.
    """

    owed: int = 0  # contacts that owe an offer of evaluation
    asked: int = 0  # of them, the question was put to the person
    rated: int = 0  # of them, gave an evaluation, whatever came of it later
    given: Grades = field(default_factory=dict)  # adopted
    not_adopted: Grades = field(default_factory=dict)  # given, and left out of every rate after review (9.2)
    deemed: Grades = field(default_factory=dict)  # written by the job after seven days of silence (6.4)
    follow_ups: Grades = field(default_factory=dict)  # later rounds, adopted: counted, in no rate
    call_backs_due: int = 0
    called_back_in_time: int = 0
    rectifications_due: int = 0
    rectified_in_time: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Count two selections that share no row as one."""
        return Tally(*(_sum(getattr(self, part.name), getattr(other, part.name)) for part in fields(self)))

    @property
    def silent(self) -> int:
        """Contacts that gave no evaluation, asked or not."""
        return max(0, self.owed - self.rated)


def _sum(one: Any, other: Any) -> Any:  # noqa: ANN401  a number, or numbers by grade
    return one + other if isinstance(one, int) else dict(Counter(one) + Counter(other))


class Figure(StrEnum):
    """What can be asked for."""

    PARTICIPATION = "participation"  # 主动评价率
    ASKED = "asked"  # 邀评率
    RESPONSE = "response"  # 应答率
    GOOD = "good"  # 好评率
    GOOD_WITH_DEEMED = "good_with_deemed"  # 好评率（含视为）
    GOOD_BEFORE_REVIEW = "good_before_review"  # 好评率（复核前）
    BAD = "bad"  # 差评率
    CALLED_BACK = "called_back_in_time"  # 按时回访率
    RECTIFIED = "rectified_in_time"  # 按时整改率
    INDEX = "index"  # 评价指数


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure is, in the words printed beside it."""

    name_zh: str
    name_en: str
    zh: str
    en: str


DEFINITIONS: Mapping[Figure, Definition] = MappingProxyType(
    {
        Figure.PARTICIPATION: Definition(
            "主动评价率",
            "participation",
            "给出首次评价的服务联系 ÷ 应邀评的服务联系（按登记日）",
            "contacts that gave a first evaluation ÷ contacts owed an offer (by the day registered)",
        ),
        Figure.ASKED: Definition(
            "邀评率",
            "asked",
            "已向本人提问的服务联系 ÷ 应邀评的服务联系（按登记日）",
            "contacts whose person was asked ÷ contacts owed an offer (by the day registered)",
        ),
        Figure.RESPONSE: Definition(
            "应答率",
            "response",
            "给出首次评价的服务联系 ÷ 已向本人提问的服务联系（按登记日）",
            "contacts that gave a first evaluation ÷ contacts whose person was asked (by the day registered)",
        ),
        Figure.GOOD: Definition(
            "好评率",
            "good",
            "首次评价中非常满意、满意、基本满意 ÷ 有效首次评价；不含视为评价，不含复核后不予采纳的评价",
            "first evaluations of the three upper grades ÷ valid first evaluations; deemed ones and those not adopted "
            "after review are left out",
        ),
        Figure.GOOD_WITH_DEEMED: Definition(
            "好评率（含视为）",
            "good, with deemed",
            "同好评率，另将期满未评而视为基本满意的计入分子和分母",
            "as good, with those deemed basically satisfied after the period of silence added above and below the line",
        ),
        Figure.GOOD_BEFORE_REVIEW: Definition(
            "好评率（复核前）",
            "good, before review",
            "同好评率，另计入复核后不予采纳的评价",
            "as good, with the evaluations that were not adopted after review counted as given",
        ),
        Figure.BAD: Definition(
            "差评率",
            "bad",
            "首次评价中不满意、非常不满意 ÷ 有效首次评价；不含视为评价，不含复核后不予采纳的评价",
            "first evaluations of the two lower grades ÷ valid first evaluations; deemed ones and those not adopted "
            "after review are left out",
        ),
        Figure.CALLED_BACK: Definition(
            "按时回访率",
            "called back in time",
            "48小时内已回访的差评 ÷ 回访期限已届满的差评（按期限日）",
            "bad evaluations called back within 48 h ÷ bad evaluations whose 48 h have run out "
            "(by the day they ran out)",
        ),
        Figure.RECTIFIED: Definition(
            "按时整改率",
            "rectified in time",
            "15日内已整改或已依法解释的差评 ÷ 整改期限已届满的差评（按期限日）；不含不予采纳的",
            "bad evaluations put right, or explained where there was no ground in law, within 15 days ÷ bad "
            "evaluations whose 15 days have run out (by the day they ran out); those not adopted are left out",
        ),
        Figure.INDEX: Definition(
            "评价指数",
            "index",
            "有效首次评价按等级权重的平均分（权重见设置，默认 100、75、50、25、0）；不含视为评价",
            "mean of the grades' weights over valid first evaluations (weights in the settings, by default 100, 75, "
            "50, 25, 0); deemed ones are left out",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure of one tally.

    `value` is a share from 0 to 1 (the index: a mean of weights); None where `of` is under the smallest number that
    may speak, and then nothing else of it speaks either. `doubt`: 95 % (Wilson). `silence`: from "all who kept silent
    would have rated badly" to "all would have rated well", for good and bad alone.
    """

    figure: Figure
    hits: int | None  # None for the index, which counts no hits
    of: int
    value: float | None
    doubt: Interval | None
    silence: Interval | None = None


def good(grades: Grades) -> int:
    """Count the three upper grades."""
    return sum(count for grade, count in grades.items() if not grade.bad)


def bad(grades: Grades) -> int:
    """Count 差评: the two lower grades."""
    return sum(count for grade, count in grades.items() if grade.bad)


def readings(tally: Tally, *, weights: Mapping[Grade, float] = DEFAULT_WEIGHTS, smallest: int = 1) -> list[Reading]:
    """Give every figure of a tally. `smallest`: under so many rows below the line a figure keeps silent."""
    shares = (_share(figure, *_FRACTIONS[figure](tally), tally, smallest) for figure in Figure if figure in _FRACTIONS)
    return [*shares, _index(tally.given, weights, smallest)]


def reading(figure: Figure, tally: Tally, *, smallest: int = 1) -> Reading:
    """Give one share of a tally; `KeyError` for the index, which needs weights."""
    return _share(figure, *_FRACTIONS[figure](tally), tally, smallest)


_FRACTIONS: Mapping[Figure, Callable[[Tally], tuple[int, int]]] = {
    Figure.PARTICIPATION: lambda t: (t.rated, t.owed),
    Figure.ASKED: lambda t: (t.asked, t.owed),
    Figure.RESPONSE: lambda t: (t.rated, t.asked),
    Figure.GOOD: lambda t: (good(t.given), total(t.given)),
    Figure.GOOD_WITH_DEEMED: lambda t: (good(t.given) + good(t.deemed), total(t.given) + total(t.deemed)),
    Figure.GOOD_BEFORE_REVIEW: lambda t: (
        good(t.given) + good(t.not_adopted),
        total(t.given) + total(t.not_adopted),
    ),
    Figure.BAD: lambda t: (bad(t.given), total(t.given)),
    Figure.CALLED_BACK: lambda t: (t.called_back_in_time, t.call_backs_due),
    Figure.RECTIFIED: lambda t: (t.rectified_in_time, t.rectifications_due),
}


_OF_GRADES = frozenset({Figure.GOOD, Figure.GOOD_WITH_DEEMED, Figure.GOOD_BEFORE_REVIEW, Figure.BAD})


def total(grades: Grades) -> int:
    """Count all."""
    return sum(grades.values())


def _share(figure: Figure, hits: int, of: int, tally: Tally, smallest: int) -> Reading:
    # a variant may not say what the rate itself keeps silent about: less the deemed, it is the rate
    few = total(tally.given) < smallest > 1 if figure in _OF_GRADES else of < smallest
    if of == 0 or few:
        return Reading(figure, hits, of, None, None)
    # by channel nobody knows who kept silent: who was never asked came by none
    told = figure in (Figure.GOOD, Figure.BAD) and tally.owed
    unheard = silence(hits, of, tally.silent) if told else None
    return Reading(figure, hits, of, hits / of, wilson(hits, of), unheard)


def _index(given: Grades, weights: Mapping[Grade, float], smallest: int) -> Reading:
    of = total(given)
    met: dict[float, int] = dict.fromkeys(weights.values(), 0)
    for grade, count in given.items():
        met[weights[grade]] += count
    found = mean(met) if of >= max(1, smallest) else None
    value, doubt = found or (None, None)
    return Reading(Figure.INDEX, None, of, value, doubt)
