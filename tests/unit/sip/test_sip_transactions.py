"""The state tables themselves: every event in every state, and what the tables do not name."""

from __future__ import annotations

import itertools

import pytest
from sip_caller import TCP, UDP

from ivr.sip.effects import Peer, Transmit
from ivr.sip.timers import Timers
from ivr.sip.transaction import (
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Event,
    InviteServer,
    NonInviteClient,
    NonInviteServer,
    State,
    event_of,
)

EVENTS = [Event.COPY, Event.PROVISIONAL, Event.SUCCESS, Event.FAILURE, Event.ACK, Event.LOST]


class Bench:
    """One INVITE transaction and what it did."""

    def __init__(self, peer: Peer = UDP) -> None:
        self.timers = Timers()
        self.ended = 0
        self.transaction = InviteServer(self.timers, peer, "tag", self._end)

    def _end(self) -> None:
        self.ended += 1

    def apply(self, event: Event, now: float = 0.0) -> list[object]:
        match event:
            case Event.COPY:
                return list(self.transaction.copy())
            case Event.ACK:
                return list(self.transaction.acknowledge(now))
            case Event.LOST:
                self.transaction.abandon()
                return []
            case _:
                status = {Event.PROVISIONAL: 180, Event.SUCCESS: 200, Event.FAILURE: 486}[event]
                return list(self.transaction.respond(status, str(status).encode(), now))


@pytest.mark.parametrize("events", list(itertools.product(EVENTS, repeat=3)))
def test_an_invite_transaction_walks_its_table_and_nothing_else(events: tuple[Event, ...]) -> None:
    bench, expected = Bench(), State.PROCEEDING
    for event in events:
        known = INVITE_SERVER.get((expected, event))
        # nothing has been sent yet that a copy could get
        silent = event is Event.COPY and Event.PROVISIONAL not in events and expected is State.PROCEEDING
        effects = bench.apply(event)
        if known is None or silent:
            assert effects == []
        expected = known or expected
        assert bench.transaction.state is expected
    bench.timers.expire(1000.0)
    if expected is State.PROCEEDING:
        assert bench.ended == 0
    else:
        assert bench.transaction.state is State.TERMINATED
        assert bench.ended == 1


def test_the_resent_response_is_the_last_one_sent() -> None:
    bench = Bench()
    bench.apply(Event.PROVISIONAL)
    assert bench.apply(Event.COPY) == [Transmit(b"180", UDP)]
    bench.apply(Event.FAILURE)
    assert bench.apply(Event.COPY) == [Transmit(b"486", UDP)]
    assert bench.timers.expire(0.5) == [Transmit(b"486", UDP)]


@pytest.mark.parametrize(("peer", "ends_at"), [(UDP, 5.0), (TCP, 0.0)])
def test_a_confirmed_refusal_is_kept_for_timer_i(peer: Peer, ends_at: float) -> None:
    bench = Bench(peer)
    bench.apply(Event.FAILURE)
    bench.apply(Event.ACK)
    bench.timers.expire(ends_at - 0.01)
    assert bench.ended == (ends_at == 0.0)
    bench.timers.expire(ends_at)
    assert bench.ended == 1
    assert bench.timers.next_deadline is None


def test_an_unacknowledged_2xx_is_told_once_and_an_acknowledged_one_never() -> None:
    for acknowledged in (False, True):
        told: list[float] = []
        bench = Bench()
        bench.transaction.on_no_ack = lambda now, told=told: told.append(now) or []
        bench.apply(Event.SUCCESS)
        if acknowledged:
            bench.apply(Event.ACK)
        bench.timers.expire(31.9)
        assert told == []
        bench.timers.expire(32.0)
        assert told == ([] if acknowledged else [32.0])


@pytest.mark.parametrize(("peer", "kept"), [(UDP, True), (TCP, False)])
def test_a_non_invite_response_is_kept_for_timer_j(peer: Peer, kept: bool) -> None:
    timers, ended = Timers(), []
    transaction = NonInviteServer(timers, peer, lambda: ended.append(1), remembered=True)
    assert transaction.copy() == []
    assert transaction.respond(180, b"180", 0.0) == []
    assert transaction.respond(200, b"200", 0.0) == [Transmit(b"200", peer)]
    assert transaction.respond(500, b"500", 0.0) == []
    assert transaction.copy() == ([Transmit(b"200", peer)] if kept else [])
    timers.expire(31.9)
    assert bool(ended) is not kept
    timers.expire(32.0)
    assert ended == [1]
    assert transaction.state is State.TERMINATED


@pytest.mark.parametrize("status", [200, 302, 481, 503, 699])
def test_a_final_response_ends_our_request_once(status: int) -> None:
    timers, finals = Timers(), []
    client = NonInviteClient(timers, b"BYE", UDP, lambda status, _: finals.append(status) or [])
    assert client.start(0.0) == [Transmit(b"BYE", UDP)]
    client.receive(100, 0.1)
    client.receive(status, 0.2)
    client.receive(200, 0.3)
    timers.expire(100.0)
    assert finals == [status]
    assert timers.next_deadline is None


def test_the_tables_hold_no_state_without_a_way_out() -> None:
    for table, begin in (
        (INVITE_SERVER, State.PROCEEDING),
        (NON_INVITE_SERVER, State.TRYING),
        (NON_INVITE_CLIENT, State.TRYING),
    ):
        reached, todo = {begin}, [begin]
        while todo:
            state = todo.pop()
            for (source, _), target in table.items():
                if source is state and target not in reached:
                    reached.add(target)
                    todo.append(target)
        assert State.TERMINATED in reached
        assert {source for source, _ in table} == reached - {State.TERMINATED}


def test_statuses_are_events() -> None:
    assert [event_of(status) for status in (100, 199, 200, 299, 300, 699)] == [
        Event.PROVISIONAL, Event.PROVISIONAL, Event.SUCCESS, Event.SUCCESS, Event.FAILURE, Event.FAILURE,
    ]  # fmt: skip


def test_timers_fire_in_order_and_cancelled_ones_never() -> None:
    timers, fired = Timers(), []
    alarms = [timers.at(at, lambda _, at=at: fired.append(at) or []) for at in (3.0, 1.0, 2.0)]
    alarms[1].cancel()
    assert timers.next_deadline == 2.0
    timers.expire(2.5)
    assert fired == [2.0]
    alarms[0].cancel()
    assert timers.next_deadline is None
