"""What the node does not take at once waits in order; beyond the limit it is lost and counted."""

import socket

import pytest

from ivr.gateway.media_messages import LARGEST_MESSAGE, PeerLeft, decode
from ivr.gateway.rtp_pump import outbox as pump_outbox
from ivr.gateway.rtp_pump.outbox import Outbox


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def received(link: socket.socket) -> list[int]:
    found = []
    while True:
        try:
            found.append(decode(link.recv(LARGEST_MESSAGE)).leg)
        except BlockingIOError:
            return found


def test_what_the_node_does_not_take_waits_in_order(ends):
    ours, theirs = ends
    outbox = Outbox(ours)
    for leg in range(5000):
        outbox.tell(PeerLeft(leg))
    assert outbox.waiting > 0
    found = []
    while len(found) < 5000:
        found += received(theirs)
        outbox.flush()
    assert found == list(range(5000))
    assert (outbox.waiting, outbox.lost) == (0, 0)


def test_beyond_the_limit_messages_are_lost_and_counted(ends, monkeypatch):
    monkeypatch.setattr(pump_outbox, "LIMIT", 10)
    outbox = Outbox(ends[0])
    told = 0
    while outbox.lost < 3:
        outbox.tell(PeerLeft(told))
        told += 1
    assert outbox.waiting == 10
    assert received(ends[1]) == list(range(told - 13))


def test_a_node_that_is_gone_is_told_nothing(ends):
    ours, theirs = ends
    theirs.close()
    outbox = Outbox(ours)
    outbox.tell(PeerLeft(1))
    assert outbox.waiting == 0
