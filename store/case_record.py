"""A case's events as rows and back. Rule: what is written is exactly what is folded again.

PURE. Times in `data` are ISO 8601 in UTC with microseconds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from store.case import Act, Deadlines, Event, Reason, Role
from store.deadline import Deadline


def event_data(event: Event) -> dict[str, Any]:
    """Give what of an event has no column of its own."""
    found: dict[str, Any] = {}
    if event.reason is not None:
        found["reason"] = str(event.reason)
    if event.evidence is not None:
        found["evidence"] = event.evidence
    if event.evaluation is not None:
        found["evaluation"] = event.evaluation
    if event.deadlines is not None:
        due = event.deadlines
        found["deadlines"] = {name: _deadline(getattr(due, name)) for name in ("call_back", "rectify", "objection")}
    if event.decision is not None:
        found["decision"] = _deadline(event.decision)
    return found


def read_event(row: Mapping[str, Any]) -> Event:
    """Read a row of `case_event` with its columns `act actor role at data` and `noted`, whether it has a note."""
    data = row["data"]
    return Event(
        act=Act(row["act"]),
        actor=row["actor"],
        role=Role(row["role"]),
        at=row["at"],
        noted=bool(row["noted"]),
        reason=Reason(data["reason"]) if "reason" in data else None,
        evidence=data.get("evidence"),
        deadlines=_read_deadlines(data["deadlines"]) if "deadlines" in data else None,
        decision=_read_deadline(data["decision"]) if "decision" in data else None,
        evaluation=data.get("evaluation"),
    )


def _deadline(deadline: Deadline) -> dict[str, Any]:
    return {"at": _utc(deadline.at), "provisional": deadline.provisional}


def _read_deadline(data: Mapping[str, Any]) -> Deadline:
    return Deadline(datetime.fromisoformat(data["at"]), data["provisional"])


def _read_deadlines(data: Mapping[str, Any]) -> Deadlines:
    return Deadlines(**{name: _read_deadline(value) for name, value in data.items()})


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
