"""Captures of another program's RTP: its telephone-events are one key each, its audio is G.711 at 20 ms."""

import struct
from pathlib import Path

import numpy as np
import pytest

from ivr.media import g711, rtp
from ivr.media.telephone_event import KEYS, TelephoneEvents

CAPTURES = Path(__file__).resolve().parents[3].parent / "shared" / "corpora" / "rtp-pcap"
pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the corpus of RTP captures is not beside the project")

NAMES = {"star": "*", "pound": "#"}


def packets(name: str) -> list[bytes]:
    """UDP payloads of a little-endian Ethernet capture."""
    data = (CAPTURES / name).read_bytes()
    found, at = [], 24
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16 : at + 16 + size]
        header = 14 + 4 * (frame[14] & 0x0F)
        (length,) = struct.unpack_from(">H", frame, header + 4)
        found.append(frame[header + 8 : header + length])
        at += 16 + size
    return found


@pytest.mark.parametrize("name", [*map(str, range(10)), "star", "pound"])
def test_a_captured_press_is_one_key(name):
    reader = TelephoneEvents()
    parsed = [rtp.parse(data) for data in packets(f"sipp-dtmf_2833_{name}.pcap")]
    heard = [key for packet in parsed if (key := reader.accept(packet)) is not None]
    assert heard == [NAMES.get(name, name)]
    assert all(KEYS[packet.payload[0]] == heard[0] for packet in parsed)


def test_captured_packets_are_written_as_they_were_read():
    for path in sorted(CAPTURES.glob("*.pcap")):
        for data in packets(path.name):
            assert rtp.serialize(rtp.parse(data)) == data


def test_captured_audio_is_decoded_and_encoded_again_unchanged():
    parsed = [rtp.parse(data) for data in packets("sipp-g711a.pcap")]
    audio = b"".join(packet.payload for packet in parsed)
    samples = g711.decode(audio, "PCMA")
    assert {packet.payload_type for packet in parsed} == {8}
    assert g711.encode(samples, "PCMA") == audio
    assert 50 < np.abs(samples.astype(int)).mean() < 20_000
