"""RTP packets: what is written is read again, and nothing that comes from outside raises anything unexpected."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.media import rtp
from ivr.media.errors import MalformedPacket
from ivr.media.rtp import RtpPacket

PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    marker=st.booleans(),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=200),
)
PLAIN = RtpPacket(8, marker=False, sequence=1, timestamp=160, ssrc=7, payload=b"abcd")


@given(PACKETS)
def test_what_is_written_is_read_again(packet):
    assert rtp.parse(rtp.serialize(packet)) == packet


@given(PACKETS, st.lists(st.integers(0, 0xFFFFFFFF), max_size=15), st.binary(max_size=8), st.integers(1, 255))
def test_contributing_sources_extension_and_padding_are_taken_off(packet, sources, extension, padding):
    extension += bytes(-len(extension) % 4)
    plain = rtp.serialize(packet)
    data = bytearray(plain[:12])
    data[0] |= 0x30 | len(sources)
    data += b"".join(source.to_bytes(4, "big") for source in sources)
    data += b"\xbe\xde" + (len(extension) // 4).to_bytes(2, "big") + extension
    data += plain[12:] + bytes(padding - 1) + bytes([padding])
    assert rtp.parse(bytes(data)) == packet


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_malformed(data):
    with suppress(MalformedPacket):
        rtp.parse(data)


@given(PACKETS, st.data())
def test_a_damaged_packet_is_a_packet_or_malformed(packet, data):
    damaged = bytearray(rtp.serialize(packet))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))]
    with suppress(MalformedPacket):
        rtp.parse(bytes(damaged))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty", b""),
        ("eleven octets", rtp.serialize(PLAIN)[:11]),
        ("version 1", b"\x40" + rtp.serialize(PLAIN)[1:]),
        ("more contributing sources than octets", b"\x8f" + rtp.serialize(PLAIN)[1:]),
        ("extension cut short", b"\x90" + rtp.serialize(PLAIN)[1:12] + b"\xbe"),
        ("extension longer than the packet", b"\x90" + rtp.serialize(PLAIN)[1:12] + b"\xbe\xde\x00\x09"),
        ("more padding than octets", b"\xa0" + rtp.serialize(PLAIN)[1:12] + b"\x09"),
        ("padding of none", b"\xa0" + rtp.serialize(PLAIN)[1:12] + b"\x00"),
    ],
)
def test_broken_lengths_are_malformed(name, data):
    with pytest.raises(MalformedPacket):
        rtp.parse(data)
