"""Keys by INFO: what bodies are understood, and that a retransmission is no second press."""

from __future__ import annotations

import pytest
from sip_caller import Scene, only, sent, statuses

from ivr.sip.user_agent_server import DigitSignalled

RELAY = "application/dtmf-relay"


@pytest.mark.parametrize(
    ("content_type", "body", "key", "milliseconds"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", "5", 160),
        (RELAY, b"Signal= *\r\nDuration= 250\r\n", "*", 250),
        (RELAY, b"signal=#\nduration=x", "#", None),
        (RELAY, b"Duration=100\r\nSignal=d", "D", 100),
        (RELAY, b"Signal=10", "*", None),
        (RELAY, b"Signal=11", "#", None),
        ("application/dtmf-relay;charset=utf-8", b"Signal=0", "0", None),
        ("Application/DTMF", b"7", "7", None),
        ("application/dtmf", b"2\r\n", "2", None),
    ],
)
def test_a_key_by_info_is_told_and_answered_200(
    content_type: str, body: bytes, key: str, milliseconds: int | None
) -> None:
    scene = Scene()
    call, tag = scene.established()
    effects = scene.receive(scene.within("INFO", tag, cseq=2, content_type=content_type, body=body))
    assert statuses(effects) == [200]
    assert effects[1:] == [DigitSignalled(call, key, milliseconds)]


def test_a_copy_of_an_info_is_no_second_press() -> None:
    scene = Scene()
    _, tag = scene.established()
    data = scene.within("INFO", tag, cseq=2, content_type=RELAY, body=b"Signal=5")
    assert scene.receive(data)[:1] == scene.receive(data)
    assert len(only(scene.seen, DigitSignalled)) == 1


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"5", 415),
        ("application/media_control+xml", b"<media_control/>", 415),
        ("", b"5", 415),
        (RELAY, b"Signal=17", 400),
        (RELAY, b"Signal=55", 400),
        (RELAY, b"nonsense", 400),
        (RELAY, b"Signal=hf", 200),
        (RELAY, b"Signal=16", 200),
        ("application/dtmf", b"!", 200),
        ("text/plain", b"", 200),
    ],
)
def test_an_info_that_is_no_key_presses_none(content_type: str, body: bytes, status: int) -> None:
    scene = Scene()
    _, tag = scene.established()
    effects = scene.receive(scene.within("INFO", tag, cseq=2, content_type=content_type, body=body))
    assert statuses(effects) == [status]
    assert not only(effects, DigitSignalled)
    if status == 415:
        assert RELAY in sent(effects)[0].elements("accept")


def test_an_info_package_is_refused_469_with_the_empty_list_of_packages() -> None:
    scene = Scene()
    _, tag = scene.established()
    (answer,) = sent(scene.receive(scene.within("INFO", tag, cseq=2, headers=["Info-Package: foo"])))
    assert (answer.status, answer.header("recv-info")) == (469, "")


def test_a_key_before_the_answer_is_none() -> None:
    scene = Scene()
    (ringing,) = sent(scene.server.ring(scene.offered()))
    data = scene.within("INFO", ringing.to.tag or "", cseq=2, content_type=RELAY, body=b"Signal=5")
    effects = scene.receive(data)
    assert statuses(effects) == [200]
    assert not only(effects, DigitSignalled)


def test_a_key_after_the_hang_up_is_none() -> None:
    scene = Scene()
    call, tag = scene.established()
    scene.server.hang_up(call, scene.now)
    assert statuses(scene.receive(scene.within("INFO", tag, cseq=2, content_type=RELAY, body=b"Signal=5"))) == [481]
    assert not only(scene.seen, DigitSignalled)
