"""Port pairs: even and odd, nobody else's, rested before they serve again, and filtered in the kernel."""

import contextlib
import socket

import pytest

from ivr.gateway.rtp_pump import kernel_filter
from ivr.gateway.rtp_pump.ports import REST_SECONDS, NoPort, RtpPorts
from ivr.media import rtp
from ivr.media.rtp import RtpPacket

EVENTS = 101


@pytest.fixture
def far():
    """The other side's socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        yield udp


@pytest.fixture
def first():
    """An even port with a few free ones behind it."""
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1] & ~1
        if all(map(free, range(port, port + 6))):
            return port
    pytest.fail("no six free ports in a row")


def free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def event(sequence: int, *, timestamp: int = 1600, digit: int = 5, payload_type: int = EVENTS) -> bytes:
    payload = bytes([digit, 10, 0, 160])
    return rtp.serialize(RtpPacket(payload_type, sequence == 1, sequence, timestamp, 7, payload))


def audio(sequence: int) -> bytes:
    return rtp.serialize(RtpPacket(8, False, sequence, 160 * sequence, 7, bytes(160)))


def taken(udp: socket.socket) -> list[int]:
    """Sequence numbers of what the socket was shown; loopback delivers before `sendto` returns."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(rtp.parse(udp.recv(2048)).sequence)
    return found


def test_a_pair_is_an_even_port_and_the_one_above(first):
    pair, fresh = RtpPorts(first, first + 5).open("127.0.0.1", EVENTS, 0.0)
    assert fresh
    assert pair.port % 2 == 0
    assert pair.rtp.getsockname()[1] == pair.strays.getsockname()[1] == pair.port
    assert pair.rtcp.getsockname()[1] == pair.port + 1
    pair.close()


def test_a_port_of_another_program_is_passed_over_even_if_it_would_share(first):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first))
        pair, _ = RtpPorts(first, first + 5).open("127.0.0.1", EVENTS, 0.0)
        assert pair.port == first + 2
        pair.close()


def test_nobody_can_share_the_port_of_a_leg(first):
    pair, _ = RtpPorts(first, first + 5).open("127.0.0.1", EVENTS, 0.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", pair.port))
    pair.close()


def test_when_every_pair_is_in_use_there_is_none(first):
    ports = RtpPorts(first, first + 3)
    pairs = [ports.open("127.0.0.1", EVENTS, 0.0)[0] for _ in range(2)]
    with pytest.raises(NoPort, match="RTP_PORTS"):
        ports.open("127.0.0.1", EVENTS, 0.0)
    for pair in pairs:
        pair.close()


def test_an_address_that_is_not_ours_is_refused_with_the_reason(first):
    with pytest.raises(NoPort, match="cannot be opened"):
        RtpPorts(first, first + 5).open("192.0.2.1", EVENTS, 0.0)


def test_a_pair_rests_before_it_serves_again_and_then_the_longest_rested_first(first):
    ports = RtpPorts(first, first + 3)
    one, two = (ports.open("127.0.0.1", EVENTS, 0.0)[0] for _ in range(2))
    ports.give_back(two, 10.0)
    ports.give_back(one, 11.0)
    with pytest.raises(NoPort):
        ports.open("127.0.0.1", EVENTS, 10.0 + REST_SECONDS - 0.01)
    assert ports.open("127.0.0.1", EVENTS, 11.0 + REST_SECONDS) == (two, False)
    assert ports.open("127.0.0.1", EVENTS, 11.0 + REST_SECONDS) == (one, False)
    one.close()
    two.close()


def test_what_came_while_a_pair_rested_is_thrown_away(first, far):
    ports = RtpPorts(first, first + 1)
    pair, _ = ports.open("127.0.0.1", EVENTS, 0.0)
    pair.rtp.connect(far.getsockname())
    ports.give_back(pair, 0.0)
    far.sendto(event(1), ("127.0.0.1", pair.port))
    again, _ = ports.open("127.0.0.1", EVENTS, REST_SECONDS)
    assert taken(again.rtp) == taken(again.strays) == []
    again.close()


linux = pytest.mark.skipif(not kernel_filter.AVAILABLE, reason="the kernel filter is Linux's")


@linux
def test_the_kernel_shows_events_and_a_sample_and_counts_the_rest(first, far):
    pair, _ = RtpPorts(first, first + 5).open("127.0.0.1", EVENTS, 0.0)
    pair.rtp.connect(far.getsockname())
    for sequence in range(1, 1025):
        far.sendto(audio(sequence), ("127.0.0.1", pair.port))
    far.sendto(event(2001), ("127.0.0.1", pair.port))
    far.sendto(b"\x80", ("127.0.0.1", pair.port))
    assert taken(pair.rtp) == [512, 1024, 2001]
    assert kernel_filter.dropped(pair.rtp) == 1022 + 1
    pair.close()


@linux
def test_a_press_that_was_reported_is_hidden_and_every_other_is_shown(first, far):
    pair, _ = RtpPorts(first, first + 5).open("127.0.0.1", EVENTS, 0.0)
    pair.rtp.connect(far.getsockname())
    pair.hide_press(pair.rtp, rtp.parse(event(1)))
    there = ("127.0.0.1", pair.port)
    for sequence in range(2, 6):
        far.sendto(event(sequence), there)
    far.sendto(event(11, timestamp=1601), there)
    far.sendto(event(12, digit=6), there)
    far.sendto(event(13, payload_type=100), there)
    assert taken(pair.rtp) == [11, 12]
    pair.close()


@linux
def test_the_next_call_is_shown_the_very_press_of_the_former_one(first, far):
    ports = RtpPorts(first, first + 1)
    pair, _ = ports.open("127.0.0.1", EVENTS, 0.0)
    pair.rtp.connect(far.getsockname())
    pair.hide_press(pair.rtp, rtp.parse(event(1)))
    ports.give_back(pair, 0.0)
    again, _ = ports.open("127.0.0.1", EVENTS, REST_SECONDS)
    far.sendto(event(2), ("127.0.0.1", again.port))
    assert taken(again.rtp) == [2]
    again.close()


@linux
def test_another_payload_type_takes_effect_at_once(first, far):
    pair, _ = RtpPorts(first, first + 5).open("127.0.0.1", None, 0.0)
    pair.rtp.connect(far.getsockname())
    there = ("127.0.0.1", pair.port)
    far.sendto(event(1), there)
    pair.show_events(96)
    far.sendto(event(2), there)
    far.sendto(event(3, payload_type=96), there)
    assert taken(pair.rtp) == [3]
    pair.close()
