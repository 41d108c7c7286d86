"""A question about figures, answered whole: counts, rates, and for operators what others reach on the same work."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from store.appraisal import appraise
from store.figures_shown import Manner, answered
from store.statistics import By, Question, answer, total


def figures(engine: Engine, question: Question, now: datetime, manner: Manner) -> dict[str, Any]:
    """Answer a question as `store.figures_shown.answered` writes it.

    Operators of a whole city are compared; not those of one department or channel, where the mix is another question.
    """
    groups = answer(engine, question, now)
    compared = question.by == (By.OPERATOR,) and set(question.where) <= {By.OPERATOR}
    standings = appraise(engine, question.days, smallest=manner.appraisal_minimum) if compared else []
    return answered(question, groups, total(groups), manner, {each.operator: each for each in standings})
