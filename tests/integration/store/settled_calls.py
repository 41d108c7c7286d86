"""Finished calls as nodes report them, for the store's tests."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from store.call import GivenAnswer, Match, SettledCall

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def settled_call(grade: str | None = "satisfied", **changes: Any) -> SettledCall:
    """One call without a token that gave a grade (or none), changed as asked."""
    given = (GivenAnswer("grade", grade, "2", NOW + timedelta(seconds=6), {"way": "rfc4733"}),) if grade else ()
    values: dict[str, Any] = {
        "id": str(uuid4()),
        "call_id": f"{uuid4()}@pbx",
        "node": "node-1",
        "flow": "post_call_survey",
        "flow_version": "1+0123456789ab",
        "language": "zh-CN",
        "started_at": NOW,
        "answered_at": NOW + timedelta(milliseconds=20),
        "ended_at": NOW + timedelta(seconds=12),
        "ended_by": "service",
        "outcome": "rated" if grade else "silent",
        "attempts": 1,
        "match": Match.NONE,
        "contact": None,
        "caller": None,
        "trunk": "127.0.0.1",
        "answers": given,
    }
    return SettledCall(**values | changes)
