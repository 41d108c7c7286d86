"""A question about figures, answered whole: counts, rates, and for operators what others reach on the same work."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from store.case_mix import Standing, Stratum, standings
from store.figures_shown import Manner, answered
from store.rates import good
from store.rates import total as sum_of
from store.statistics import By, Question, answer, total


def figures(engine: Engine, question: Question, now: datetime, manner: Manner) -> dict[str, Any]:
    """Answer a question as `store.figures_shown.answered` writes it."""
    groups = answer(engine, question, now)
    found = _standings(engine, question, now, manner) if question.by == (By.OPERATOR,) else {}
    return answered(question, groups, total(groups), manner, found)


def _standings(engine: Engine, question: Question, now: datetime, manner: Manner) -> dict[str, Standing]:
    """Compare operators within departments and channels; all of them, whatever one was asked about."""
    where: dict[By, str] = {by: value for by, value in question.where.items() if by != By.OPERATOR}
    strata = answer(engine, Question(question.days, (By.OPERATOR, By.DEPARTMENT, By.CHANNEL), where), now)
    told = [
        Stratum(group.key[0] or "", group.key[1:], good(group.tally.given), sum_of(group.tally.given))
        for group in strata
    ]
    return {standing.operator: standing for standing in standings(told, smallest=manner.appraisal_minimum)}
