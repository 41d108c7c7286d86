"""Whether an evaluation counts (9.2). Rule: the last decision holds, decisions are added and never changed."""

from sqlalchemy import ColumnElement, func, select, true

from store.schema import Decision, Evaluation


def adopted() -> ColumnElement[bool]:
    """Give the expression, for a select from `evaluation`: adopted unless the last decision says otherwise."""
    last = (
        select(Decision.adopted)
        .where(Decision.evaluation == Evaluation.id)
        .order_by(Decision.at.desc(), Decision.id.desc())
        .limit(1)
        .correlate(Evaluation)
        .scalar_subquery()
    )
    return func.coalesce(last, true())
