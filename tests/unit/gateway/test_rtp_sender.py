"""What a leg sends: prompts frame by frame, silence otherwise, numbered and timed as RFC 3550 wants it."""

import pytest

from ivr.gateway.rtp_pump.sender import RtpSender, send_frames
from ivr.media import rtp

IDENTITY = bytes.fromhex("fffffff0 cafef00d fffe".replace(" ", ""))
FRAMES = [bytes([n]) * 160 for n in range(1, 4)]


@pytest.fixture
def sent():
    return []


@pytest.fixture
def sender(sent):
    made = RtpSender(lambda data: sent.append(rtp.parse(data)) or len(data), IDENTITY)
    made.encode_as("PCMA", 8)
    return made


def run(sender, periods):
    """The periods in which the sender came back as finished."""
    return [period for period in periods if send_frames([sender], period * 160)]


def test_silence_is_sent_while_nothing_plays(sender, sent):
    run(sender, range(3))
    assert {packet.payload for packet in sent} == {b"\xd5" * 160}
    assert [packet.marker for packet in sent] == [True, False, False]


def test_a_prompt_is_sent_frame_by_frame_then_silence_and_its_end_is_told_once_it_was_heard(sender, sent):
    sender.play(FRAMES)
    told = []
    for period in range(5):
        if send_frames([sender], period * 160):
            told.append(period)
            sender.stop()
    assert [packet.payload for packet in sent] == [*FRAMES, b"\xd5" * 160, b"\xd5" * 160]
    assert told == [3]


def test_stopping_makes_the_very_next_frame_silence(sender, sent):
    sender.play(FRAMES)
    run(sender, range(2))
    sender.stop()
    run(sender, range(2, 4))
    assert [packet.payload[0] for packet in sent] == [1, 2, 0xD5, 0xD5]


def test_a_new_prompt_begins_with_the_marker_bit(sender, sent):
    run(sender, range(2))
    sender.play(FRAMES)
    run(sender, range(2, 4))
    assert [packet.marker for packet in sent] == [True, False, True, False]


def test_sequence_and_timestamp_go_on_through_their_wraps(sender, sent):
    run(sender, range(4))
    assert [packet.sequence for packet in sent] == [0xFFFF, 0, 1, 2]
    assert [packet.timestamp for packet in sent] == [(0xFFFFFFF0 + 160 * n) & 0xFFFFFFFF for n in range(4)]
    assert {packet.ssrc for packet in sent} == {0xCAFEF00D}


def test_periods_left_out_show_in_the_timestamp_and_not_in_the_sequence(sender, sent):
    run(sender, [0, 1, 9])
    assert [packet.sequence for packet in sent] == [0xFFFF, 0, 1]
    assert (sent[2].timestamp - sent[1].timestamp) & 0xFFFFFFFF == 8 * 160


def test_another_law_changes_payload_type_and_silence(sender, sent):
    run(sender, [0])
    sender.encode_as("PCMU", 0)
    run(sender, [1])
    assert [(packet.payload_type, packet.payload[0]) for packet in sent] == [(8, 0xD5), (0, 0xFF)]


def test_a_refused_send_is_counted_and_the_next_leg_is_served(sender, sent):
    def refuse(data):
        raise ConnectionRefusedError

    broken = RtpSender(refuse, IDENTITY)
    send_frames([broken, sender], 0)
    assert (broken.packets, broken.unsent) == (0, 1)
    assert (sender.packets, len(sent)) == (1, 1)
