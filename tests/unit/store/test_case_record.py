"""Events written and read are the same events."""

import json
from dataclasses import asdict

from hypothesis import given
from test_case_transitions import walks

from store.case import Event
from store.case_record import event_data, read_event
from store.case_transitions import fold


def as_read(event: Event) -> Event:
    row = asdict(event) | {"data": json.loads(json.dumps(event_data(event)))}
    return read_event(row)


@given(walks())
def test_a_history_read_back_leads_to_the_same_case(history: list[Event]) -> None:
    read = [as_read(event) for event in history]
    assert fold(read) == fold(history)
    assert read == history
