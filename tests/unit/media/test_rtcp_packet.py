"""RTCP: our reports are well formed, theirs are read, and nothing raises anything unexpected."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.media import rtcp
from ivr.media.errors import MalformedPacket
from ivr.media.rtcp import Bye, ReceiverReport, SenderReport

SENDER = SenderReport(
    ssrc=0xCAFEF00D, sent_at=1_795_000_000.25, rtp_timestamp=4_000_000_000, packets=250, octets=40_000
)
WORDS = st.integers(0, 0xFFFFFFFF)


def parts(compound: bytes) -> list[tuple[int, bytes]]:
    """Kind and whole bytes of each part, by the length fields alone."""
    found = []
    while compound:
        size = 4 * (int.from_bytes(compound[2:4], "big") + 1)
        found.append((compound[1], compound[:size]))
        compound = compound[size:]
    return found


def test_a_report_is_sender_report_and_cname():
    (kind, report), (second, description) = parts(rtcp.report(SENDER, "node-1@survey"))
    assert (kind, second) == (200, 202)
    assert report[8:16].hex() == f"{1_795_000_000 + 2_208_988_800 & 0xFFFFFFFF:08x}40000000"
    assert description[8:10] == b"\x01\x0d"
    assert description[10:23] == b"node-1@survey"
    assert set(description[23:]) == {0}


@pytest.mark.parametrize("length", range(9))
def test_the_cname_is_always_ended_by_a_null(length):
    _, (_, description) = parts(rtcp.report(SENDER, "x" * length))
    assert len(description) % 4 == 0
    assert 1 <= len(description) - (10 + length) <= 4


def test_a_farewell_is_report_cname_and_bye_in_this_order():
    data = rtcp.farewell(SENDER, "n")
    assert [kind for kind, _ in parts(data)] == [200, 202, 203]
    assert rtcp.parse(data) == [SENDER, Bye((SENDER.ssrc,))]


@given(WORDS, st.integers(0, 4_000_000_000), WORDS, WORDS, WORDS)
def test_what_is_written_is_read_again(ssrc, second, timestamp, packets, octets):
    sender = SenderReport(ssrc, second + 0.5 - 2_208_988_800 % 1, timestamp, packets, octets)
    (found,) = rtcp.parse(rtcp.report(sender, "node"))
    assert isinstance(found, SenderReport)
    assert (found.ssrc, found.rtp_timestamp, found.packets, found.octets) == (ssrc, timestamp, packets, octets)
    assert (found.sent_at - sender.sent_at) % 2**32 == 0


def test_a_receiver_report_with_blocks_and_a_bye_with_a_reason_are_read():
    receiver = b"\x82\xc9\x00\x0d" + (5).to_bytes(4, "big") + bytes(48)
    bye = b"\x82\xcb\x00\x05" + (5).to_bytes(4, "big") + (6).to_bytes(4, "big") + b"\x0bhanging up!"
    assert rtcp.parse(receiver + bye) == [ReceiverReport(5), Bye((5, 6))]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty", b""),
        ("half a header", b"\x80\xc8"),
        ("version 0", b"\x00" + rtcp.report(SENDER, "n")[1:]),
        ("longer than the datagram", b"\x80\xcb\xff\xff"),
        ("sender report without its fields", b"\x80\xc8\x00\x01\x00\x00\x00\x01"),
        ("blocks that are not there", b"\x81\xc9\x00\x01\x00\x00\x00\x01"),
        ("BYE of sources that are not there", b"\x83\xcb\x00\x01\x00\x00\x00\x01"),
        ("rubbish behind a good part", rtcp.report(SENDER, "n") + b"\x01"),
    ],
)
def test_broken_lengths_are_malformed(name, data):
    with pytest.raises(MalformedPacket):
        rtcp.parse(data)


@given(st.binary(max_size=120))
def test_any_bytes_are_reports_or_malformed(data):
    with suppress(MalformedPacket):
        rtcp.parse(data)


@given(st.data())
def test_a_damaged_compound_is_reports_or_malformed(data):
    damaged = bytearray(rtcp.farewell(SENDER, data.draw(st.text(max_size=20))))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MalformedPacket):
        rtcp.parse(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


@given(WORDS, st.integers(0, 1000))
def test_reports_come_every_two_to_six_seconds_and_the_first_earlier(ssrc, number):
    low, high = (1.0, 3.1) if number == 0 else (2.0, 6.2)
    assert low <= rtcp.report_interval(ssrc, number) <= high


def test_two_streams_do_not_fall_into_step():
    spread = {round(rtcp.report_interval(ssrc, 1), 1) for ssrc in range(1, 4_000_000_000, 40_000_001)}
    assert len(spread) > 20
