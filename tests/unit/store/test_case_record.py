"""Events written and read are the same events."""

import json
from dataclasses import asdict
from datetime import datetime

from hypothesis import given
from test_case_transitions import walks

from store.case import Event
from store.case_policy import Policy
from store.case_record import event_data, read_event
from store.case_transitions import fold
from store.reminder import reminders


def as_read(event: Event) -> Event:
    row = asdict(event) | {"data": json.loads(json.dumps(event_data(event)))}
    return read_event(row)


@given(walks())
def test_a_history_read_back_leads_to_the_same_case(history: list[Event]) -> None:
    read = [as_read(event) for event in history]
    assert fold(read) == fold(history)
    assert read == history


@given(walks())
def test_every_reminder_is_given_once_by_somebody_who_wakes_when_told(history: list[Event]) -> None:
    policy, case = Policy(), fold(history)
    given: list[tuple[str, str, datetime]] = []
    while (at := policy.wake_at(case, frozenset(given))) is not None:
        awake = [(each.duty, each.when, each.due) for each in reminders(case, policy.ahead) if each.at <= at]
        given += [each for each in awake if each not in given]
    assert len(given) == len(reminders(case, policy.ahead))
