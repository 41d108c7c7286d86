"""Node and media process understand each other: every message arrives as it was sent."""

import pytest

from ivr.gateway.media_messages import (
    LARGEST_MESSAGE,
    BeginService,
    CloseLeg,
    Configure,
    KeyHeard,
    LegClosed,
    LegStatistics,
    LoadPrompt,
    MediaSilent,
    Opened,
    OpenLeg,
    PeerLeft,
    PlayFailed,
    PlayFinished,
    PlayPrompts,
    PumpFigures,
    Ready,
    Refused,
    StopPrompts,
    UpdateLeg,
    decode,
    encode,
)
from ivr.media.parameters import MediaParameters

PARAMETERS = MediaParameters("::1", "2001:db8::7", 40000, "PCMU", 0, None, send=False, receive=True, rtcp_port=None)


@pytest.mark.parametrize(
    "message",
    [
        Configure(20000, 29999, 20.0, "node-1"),
        LoadPrompt("zh-CN", "ask", "prompts/zh-CN/问.wav"),
        BeginService(),
        OpenLeg(1, PARAMETERS),
        UpdateLeg(2, PARAMETERS),
        PlayPrompts(3, 4, ("heard", "grade_satisfied", "change"), "zh-CN"),
        StopPrompts(5, 6),
        CloseLeg(7),
        Ready((("en", "ask", "is empty"),), real_time=True),
        Ready((), real_time=False),
        Opened(8, 20002),
        Refused(9, "every port pair is in use"),
        KeyHeard(10, "#", "rfc4733", 0xFFFFFFFF, 0, 12345.678901, "ask", 1740),
        KeyHeard(10, "*", "rfc4733", 0, 0xFFFFFFFF, 0.5, None, 0),
        PlayFinished(11, 12),
        PlayFailed(13, 14, "no recording in en: ask"),
        MediaSilent(15, 20.02),
        PeerLeft(16),
        LegClosed(17, LegStatistics(sent=250, received=249, foreign=3, keys=1)),
        PumpFigures(400, 5.0, 1000, 100_000, 20, 0.05, 0.4, 1.2, 0, 0, 0.9),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_arrives_as_it_was_sent(message):
    datagram = encode(message)
    assert decode(datagram) == message
    assert len(datagram) < LARGEST_MESSAGE
