"""The figures counted row by row. Rule: slow, and right by itself; the rollups are measured against it.

One select for each kind of row gives (day, department, item, operator, channel, measure, grade), ungrouped; what is
counted is said in `store.figure`. A row that is bound to no contact gives nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from store.civil_sql import civil_day
from store.figure import Measure
from store.period import Days, begins
from store.schema import Ballot, Call, CaseEvent, CaseFile, Contact, Decision, Evaluation

CALLED_BACK = ("call_back",)
PUT_RIGHT = ("rectified", "explain")  # what had no ground in law is explained, and needs no rectification (9.2)

_NO_CODE = literal("")


def rows(days: Days) -> Subquery:
    """Give every row that counts in these civil days, as a subquery with the columns named above."""
    return _union(days).subquery("counted")


def within(moment: InstrumentedAttribute[Any], days: Days) -> ColumnElement[bool]:
    """Say that a moment lies in civil days, in a way an index on it serves."""
    parts: list[ColumnElement[bool]] = [true()]
    if days.since is not None:
        parts.append(moment >= begins(days.since))
    if days.until is not None:
        parts.append(moment < begins(days.until))
    return and_(*parts)


def _union(days: Days) -> CompoundSelect[Any]:
    contacts = [
        _contacts(days, Measure.OWED, true()),
        _contacts(days, Measure.ASKED, or_(was_asked(), _has_given())),
        _contacts(days, Measure.RATED, _has_given()),
    ]
    due, put_right = CaseFile.call_back_due, CaseFile.rectify_due
    cases = [
        _cases(days, Measure.CALL_BACK_DUE, due, true()),
        _cases(days, Measure.CALLED_BACK, due, done(CALLED_BACK, due)),
        _cases(days, Measure.RECTIFY_DUE, put_right, adopted()),
        _cases(days, Measure.RECTIFIED, put_right, and_(adopted(), done(PUT_RIGHT, put_right))),
    ]
    return union_all(*contacts, _evaluations(days), *cases)


def _row(
    moment: InstrumentedAttribute[Any],
    source: type[Any],
    channel: SQLColumnExpression[Any],
    measure: SQLColumnExpression[Any],
    grade: SQLColumnExpression[Any],
) -> Select[Any]:
    codes = (func.coalesce(getattr(source, name), "").label(name) for name in ("department", "item", "operator"))
    return select(
        civil_day(moment).label("day"),
        *codes,
        channel.label("channel"),
        measure.label("measure"),
        grade.label("grade"),
    )


def _contacts(days: Days, measure: Measure, which: ColumnElement[bool]) -> Select[Any]:
    row = _row(Contact.registered_at, Contact, _NO_CODE, literal(str(measure)), _NO_CODE)
    return row.where(within(Contact.registered_at, days), which)


def was_asked() -> ColumnElement[bool]:
    """Say that the question was put to a contact in a call."""
    return _probed(Call.id, Call.contact == Contact.id, Call.attempts >= 1)


def _has_given() -> ColumnElement[bool]:
    return _probed(Ballot.id, Ballot.contact == Contact.id, Ballot.deemed.is_(False))


def _evaluations(days: Days) -> Select[Any]:
    counts = adopted()
    measure = case(
        (and_(Evaluation.deemed, _given_as_well()), None),
        (Evaluation.deemed, str(Measure.DEEMED)),
        (and_(_first(), counts), str(Measure.GIVEN)),
        (_first(), str(Measure.NOT_ADOPTED)),
        (counts, str(Measure.FOLLOW_UP)),
        else_=None,
    )
    row = _row(Evaluation.recorded_at, Evaluation, Evaluation.channel, measure, Evaluation.grade)
    bound = Evaluation.contact.is_not(None)
    return row.where(bound, within(Evaluation.recorded_at, days), measure.is_not(None))


def _first() -> ColumnElement[bool]:
    """Round 1, or a later round before which nothing was given: what went before was deemed."""
    earlier = _probed(
        Ballot.id, Ballot.contact == Evaluation.contact, Ballot.round < Evaluation.round, Ballot.deemed.is_(False)
    )
    return or_(Evaluation.round == 1, ~earlier)


def _given_as_well() -> ColumnElement[bool]:
    """A call given in time may be delivered after the seven days: then it stands, and nothing is deemed."""
    return _probed(Ballot.id, Ballot.contact == Evaluation.contact, Ballot.deemed.is_(False))


def _probed(column: InstrumentedAttribute[Any], *wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say that there is such a row, looked up by its index for each row of the outer select.

    OFFSET 0 keeps PostgreSQL from hashing the whole inner table instead: ten million ballots, for two days' edge.
    """
    return select(column).where(*wanted).limit(literal_column("1")).offset(literal_column("0")).exists()


def adopted() -> ColumnElement[bool]:
    """Say that an evaluation counts, by one set of all that do not: decisions are few, evaluations many."""
    later = aliased(Decision)
    overtaken = exists().where(
        later.evaluation == Decision.evaluation,
        or_(later.at > Decision.at, and_(later.at == Decision.at, later.id > Decision.id)),
    )
    return Evaluation.id.not_in(select(Decision.evaluation).where(Decision.adopted.is_(False), ~overtaken))


def _cases(days: Days, measure: Measure, due: InstrumentedAttribute[Any], which: ColumnElement[bool]) -> Select[Any]:
    row = _row(due, Evaluation, Evaluation.channel, literal(str(measure)), _NO_CODE)
    joined = row.join_from(CaseFile, Evaluation, CaseFile.evaluation == Evaluation.id)
    return joined.where(Evaluation.contact.is_not(None), within(due, days), which)


def done(acts: Sequence[str], due: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Say that one of these acts was done on a case by its deadline."""
    return exists().where(CaseEvent.case == CaseFile.id, CaseEvent.act.in_(acts), CaseEvent.at <= due)
