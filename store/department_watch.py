"""Departments with a low index (8.2): a warning for each month, interviews about it. Rule: added, never changed."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, func, select

from store.case import CaseRefused, Refusal, Role
from store.case_act import Office
from store.database import reading, writing
from store.decision import adopted
from store.errors import NotFound
from store.grade import Grade
from store.ledger import keep
from store.low_index import DEFAULT_WEIGHTS, Limits, Low, Period, low
from store.privacy import NONCE_BYTES, FieldCipher
from store.query import Page
from store.schema import DepartmentWarning, Evaluation, Interview


@dataclass(frozen=True, slots=True)
class WarningRow:
    """A department warned of its index in a month, and how many interviews were held about it."""

    id: str
    department: str
    period_begins: datetime
    period_ends: datetime
    index: float
    count: int
    threshold: float
    minimum: int
    at: datetime
    interviews: int


@dataclass(frozen=True, slots=True)
class InterviewRow:
    """An interview held because of a warning."""

    id: str
    warning: str
    by: str
    role: str
    note: str
    rectify_until: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """An interview to be recorded: about which warning, by whom as what, its words, until when to do better."""

    warning: str
    by: str
    role: Role
    note: str
    rectify_until: datetime | None = None


def warn(
    office: Office,
    period: Period,
    limits: Limits,
    now: datetime,
    weights: Mapping[Grade, float] = DEFAULT_WEIGHTS,
) -> int:
    """Warn the departments that were too low in a period and have no warning for it yet; give how many."""
    named = {str(grade): weight for grade, weight in weights.items()}
    definition = {"threshold": limits.threshold, "minimum": limits.minimum, "weights": named}
    with writing(office.engine) as connection:
        found = low(_counts(connection, period), limits, weights)
        warned = set(
            connection.scalars(
                select(DepartmentWarning.department).where(DepartmentWarning.period_begins == period.begins)
            )
        )
        rows = [_row(each, period, definition, now) for each in found if each.department not in warned]
        keep(connection, office.keys, DepartmentWarning, rows, now)
    return len(rows)


def warnings(engine: Engine, page: Page) -> list[WarningRow]:
    """Give warnings by when they were given, oldest first; a limit keeps the newest."""
    held = select(func.count()).where(Interview.warning == DepartmentWarning.id).scalar_subquery()
    statement = select(DepartmentWarning.__table__, held.label("interviews"))
    if page.since is not None:
        statement = statement.where(DepartmentWarning.at >= page.since)
    newest = statement.order_by(DepartmentWarning.at.desc(), DepartmentWarning.department.desc()).limit(page.limit)
    with reading(engine) as connection:
        rows = connection.execute(newest).mappings().all()
    return [_read(dict(row)) for row in reversed(rows)]


def interview(office: Office, held: Held, now: datetime) -> InterviewRow:
    """Record an interview about a warning; `NotFound`, or `CaseRefused` for the department itself."""
    if held.role not in (Role.REVIEWER, Role.CASE_TEAM):
        sentence = f"an interview is recorded by a reviewer or the case team, not by {held.role}"
        raise CaseRefused(Refusal.NOT_YOURS, sentence)
    name = str(uuid4())
    found = InterviewRow(name, held.warning, held.by, str(held.role), held.note, held.rectify_until, now)
    sealed = FieldCipher(office.keys.fields).seal(held.note, name.encode(), secrets.token_bytes(NONCE_BYTES))
    with writing(office.engine) as connection:
        _need(connection, held.warning)
        row = {field: getattr(found, field) for field in InterviewRow.__slots__} | {"note": sealed}
        keep(connection, office.keys, Interview, [row], now)
    return found


def interviews(engine: Engine, warning: str, cipher: FieldCipher) -> list[InterviewRow]:
    """Give the interviews about a warning, with their words; `NotFound` if there is no such warning."""
    columns = [getattr(Interview, field) for field in InterviewRow.__slots__]
    statement = select(*columns).where(Interview.warning == warning).order_by(Interview.at, Interview.id)
    with reading(engine) as connection:
        _need(connection, warning)
        rows = connection.execute(statement).mappings().all()
    return [InterviewRow(**row | {"note": cipher.open(row["note"], row["id"].encode())}) for row in map(dict, rows)]


def _need(connection: Connection, warning: str) -> None:
    try:
        known = connection.scalar(select(DepartmentWarning.id).where(DepartmentWarning.id == str(UUID(warning))))
    except ValueError:
        known = None
    if known is None:
        raise NotFound(f"there is no warning {warning}")


def _counts(connection: Connection, period: Period) -> dict[str, dict[Grade, int]]:
    """Count what was given, adopted and bound to a contact, by department and grade."""
    rows = connection.execute(
        select(Evaluation.department, Evaluation.grade, func.count())
        .where(Evaluation.recorded_at >= period.begins, Evaluation.recorded_at < period.ends)
        .where(Evaluation.deemed.is_(False), Evaluation.contact.is_not(None), Evaluation.department.is_not(None))
        .where(adopted())
        .group_by(Evaluation.department, Evaluation.grade)
    )
    found: dict[str, dict[Grade, int]] = {}
    for department, grade, count in rows:
        assert department is not None
        found.setdefault(department, {})[Grade(grade)] = count
    return found


def _row(each: Low, period: Period, definition: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "department": each.department,
        "period_begins": period.begins,
        "period_ends": period.ends,
        "index_hundredths": round(each.index * 100),
        "count": each.count,
        "definition": definition,
        "at": now,
    }


def _read(row: dict[str, Any]) -> WarningRow:
    definition = row.pop("definition")
    return WarningRow(
        index=row.pop("index_hundredths") / 100,
        threshold=definition["threshold"],
        minimum=definition["minimum"],
        **row,
    )
