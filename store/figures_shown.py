"""Figures as values for machines and rows for files. Rule: a number never travels without its definition.

Where a group has fewer evaluations than may speak, its rates and its grades are None: the grades would say the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from store.case_mix import SMALLEST, Standing
from store.grade import Grade
from store.interval import Interval
from store.low_index import DEFAULT_WEIGHTS
from store.period import Days
from store.rates import DEFINITIONS, Figure, Grades, Reading, Tally, readings, total
from store.statistics import By, Group, Question

COUNTS = {
    "owed": ("应邀评的服务联系", "contacts owed an offer of evaluation, by the day registered"),
    "asked": ("已向本人提问的服务联系", "of them, those whose person was asked"),
    "rated": ("给出评价的服务联系", "of them, those that gave an evaluation"),
    "given": ("有效首次评价", "first evaluations that count"),
    "not_adopted": ("复核后不予采纳的首次评价", "first evaluations not adopted after review"),
    "deemed": ("视为基本满意", "deemed basically satisfied after the period of silence"),
    "follow_ups": ("追评", "evaluations after the first"),
    "call_backs_due": ("回访期限已届满的差评", "bad evaluations whose 48 h have run out"),
    "called_back_in_time": ("其中按时回访", "of them, called back in time"),
    "rectifications_due": ("整改期限已届满的差评", "bad evaluations whose 15 days have run out"),
    "rectified_in_time": ("其中按时整改", "of them, put right in time"),
}
_BY_GRADE = ("given", "not_adopted", "deemed", "follow_ups")


@dataclass(frozen=True, slots=True)
class Manner:
    """How figures are worked out: the index's weights, and under how many evaluations an operator has no rates."""

    weights: Mapping[Grade, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    appraisal_minimum: int = SMALLEST


def smallest(question: Question, manner: Manner) -> int:
    """Give how many evaluations a group needs to speak: persons are not judged on a handful."""
    return manner.appraisal_minimum if By.OPERATOR in (*question.by, *question.where) else 1


def answered(
    question: Question, groups: list[Group], whole: Tally, manner: Manner, standings: Mapping[str, Standing]
) -> dict[str, Any]:
    """Give the whole answer; `standings` by operator, where the question is by operator alone."""
    return {
        "question": _question(question, manner),
        "total": _counted(whole, 1, manner),
        "groups": [_group(question, group, manner, standings) for group in groups],
        "definitions": {
            str(figure): {"name_zh": said.name_zh, "name_en": said.name_en, "zh": said.zh, "en": said.en}
            for figure, said in DEFINITIONS.items()
        },
        "counted": {name: {"zh": zh, "en": en} for name, (zh, en) in COUNTS.items()},
    }


def long_rows(answer: Mapping[str, Any], language: str) -> Iterator[dict[str, Any]]:
    """Give one row for each figure of each group, with its definition in the row."""
    zh = language.startswith("zh")
    for group in answer["groups"] or [{"key": {}} | answer["total"]]:
        for name, count in _flat(group["counts"]):
            said = answer["counted"][name.partition(".")[0].removesuffix("_by_grade")]["zh" if zh else "en"]
            yield _row(group["key"], name, said if zh else name, {"hits": count}, said)
        for name, found in group["figures"].items():
            said = answer["definitions"][name]
            yield _row(group["key"], name, said["name_zh" if zh else "name_en"], found, said["zh" if zh else "en"])


def columns(question: Question) -> list[str]:
    """Name the columns of `long_rows`."""
    interval = ("low", "high", "silence_low", "silence_high")
    return [*(str(by) for by in question.by), "figure", "name", "count", "of", "value", *interval, "definition"]


def _row(key: Mapping[str, Any], figure: str, name: str, found: Mapping[str, Any], said: str) -> dict[str, Any]:
    silence = found.get("silence") or {}
    return {
        **key,
        "figure": figure,
        "name": name,
        "count": found.get("hits"),
        **{part: found.get(part) for part in ("of", "value", "low", "high")},
        "silence_low": silence.get("low"),
        "silence_high": silence.get("high"),
        "definition": said,
    }


def _flat(counts: Mapping[str, Any]) -> Iterator[tuple[str, int | None]]:
    for name, count in counts.items():
        if isinstance(count, Mapping):
            yield from ((f"{name}.{grade}", each) for grade, each in count.items())
        else:
            yield name, count


def _question(question: Question, manner: Manner) -> dict[str, Any]:
    days: Days = question.days
    return {
        "since": days.since.isoformat() if days.since else None,
        "until": days.until.isoformat() if days.until else None,
        "by": [str(by) for by in question.by],
        "where": {str(by): value for by, value in question.where.items()},
        "weights": {str(grade): manner.weights[grade] for grade in Grade},
        "smallest": smallest(question, manner),
    }


def _group(question: Question, group: Group, manner: Manner, standings: Mapping[str, Standing]) -> dict[str, Any]:
    key = {str(by): part for by, part in zip(question.by, group.key, strict=True)}
    found = {"key": key} | _counted(group.tally, smallest(question, manner), manner)
    standing = standings.get(group.key[0] or "") if question.by == (By.OPERATOR,) else None
    return found | ({"case_mix": _standing(standing)} if standing else {})


def _counted(tally: Tally, least: int, manner: Manner) -> dict[str, Any]:
    speaks = least <= 1 or total(tally.given) >= least
    counts = {name: getattr(tally, name) for name in COUNTS}
    counts |= {f"{name}_by_grade": _by_grade(getattr(tally, name), speaks=speaks) for name in _BY_GRADE}
    counts |= {name: total(getattr(tally, name)) for name in _BY_GRADE}
    found = readings(tally, weights=manner.weights, smallest=least)
    return {"counts": counts, "figures": {str(reading.figure): _reading(reading) for reading in found}}


def _by_grade(grades: Grades, *, speaks: bool) -> dict[str, int | None]:
    return {str(grade): grades.get(grade, 0) if speaks else None for grade in Grade}


def _reading(reading: Reading) -> dict[str, Any]:
    share = reading.figure is not Figure.INDEX
    return {
        # fewer than may speak: not even how many of them
        "hits": reading.hits if reading.value is not None or not reading.of else None,
        "of": reading.of,
        "value": _rounded(reading.value, share=share),
        **_interval(reading.doubt, share=share),
        "silence": _interval(reading.silence, share=True) if reading.silence else None,
    }


def _interval(interval: Interval | None, *, share: bool) -> dict[str, float | None]:
    return {
        "low": _rounded(interval.low if interval else None, share=share),
        "high": _rounded(interval.high if interval else None, share=share),
    }


def _rounded(value: float | None, *, share: bool) -> float | None:
    return None if value is None else round(value, 6 if share else 2)


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "compared": standing.compared,
        "rate": _rounded(standing.rate, share=True),
        **_interval(standing.doubt, share=True),
        "expected": _rounded(standing.expected, share=True),
        "difference": _rounded(standing.difference, share=True),
        "stands": standing.stands,
    }
