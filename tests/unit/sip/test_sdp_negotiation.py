"""Offer and answer: what is taken, what is refused and why, and what is written back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.sip import sdp
from ivr.sip.sdp import LocalSession, MalformedDescription, Negotiated, NotAcceptable

HEAD = "v=0\r\no=pbx 1 1 IN IP4 192.0.2.10\r\ns=-\r\n"
EVENTS = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"


def offer(*lines: str, connection: str = "IN IP4 192.0.2.10", times: str = "t=0 0") -> bytes:
    return (HEAD + f"c={connection}\r\n{times}\r\n" + "".join(f"{line}\r\n" for line in lines)).encode()


def answered(body: bytes, local: str = "192.0.2.1", **changes: object) -> tuple[list[str], Negotiated]:
    text, agreed = sdp.answer(
        sdp.parse(body), local_address=local, port=20000, session_id=7, session_version=1, **changes
    )
    assert text.endswith(b"\r\n")
    return text.decode("latin-1").split("\r\n")[:-1], agreed


def test_an_ordinary_offer_gets_pcma_and_its_own_event_number() -> None:
    lines, agreed = answered(
        offer("m=audio 6000 RTP/AVP 0 8 96 97", "a=rtpmap:96 telephone-event/8000", "a=rtpmap:97 iLBC/8000")
    )
    assert lines == [
        "v=0", "o=- 7 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
        "m=audio 20000 RTP/AVP 8 96", "a=rtpmap:8 PCMA/8000", "a=rtpmap:96 telephone-event/8000", "a=fmtp:96 0-15",
        "a=ptime:20", "a=sendrecv",
    ]  # fmt: skip
    assert agreed == Negotiated(
        remote_address="192.0.2.10", remote_port=6000, codec="PCMA", payload_type=8, event_payload_type=96,
        send=True, receive=True, rtcp_port=6001,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("media", "codec", "payload_type", "events"),
    [
        (["m=audio 6000 RTP/AVP 0"], "PCMU", 0, None),
        (["m=audio 6000 RTP/AVP 8"], "PCMA", 8, None),
        (["m=audio 6000 RTP/AVP 18 0 101", "a=rtpmap:101 Telephone-Event/8000"], "PCMU", 0, 101),
        (["m=audio 6000 RTP/AVP 98", "a=rtpmap:98 pcma/8000/1"], "PCMA", 98, None),
        (["m=audio 6000 RTP/AVP 8 0", "a=rtpmap:8 G7221/16000"], "PCMU", 0, None),
        (
            [
                "m=audio 6000 RTP/AVP 8 100 101", "a=rtpmap:100 telephone-event/48000",
                "a=rtpmap:101 telephone-event/8000",
            ],
            "PCMA", 8, 101,
        ),
        (["m=audio 6000/2 RTP/AVP 8 999 x", "a=rtpmap:999 telephone-event/8000"], "PCMA", 8, None),
        (["m=audio 6000 RTP/AVPF 8"], "PCMA", 8, None),
    ],
)  # fmt: skip
def test_the_codec_follows_our_preference_and_the_offers_numbers(
    media: list[str], codec: str, payload_type: int, events: int | None
) -> None:
    lines, agreed = answered(offer(*media))
    assert (agreed.codec, agreed.payload_type, agreed.event_payload_type) == (codec, payload_type, events)
    formats = f"{payload_type}" if events is None else f"{payload_type} {events}"
    assert f"m=audio 20000 {media[0].split()[2]} {formats}" in lines


def test_pcmu_only_by_choice_of_ours() -> None:
    assert answered(offer("m=audio 6000 RTP/AVP 8 0"), codecs=("PCMU",))[1].codec == "PCMU"


@pytest.mark.parametrize(
    ("attribute", "send", "receive", "written"),
    [
        ("a=sendrecv", True, True, "a=sendrecv"),
        ("a=sendonly", False, True, "a=recvonly"),
        ("a=recvonly", True, False, "a=sendonly"),
        ("a=inactive", False, False, "a=inactive"),
        ("a=SendOnly", False, True, "a=recvonly"),
        ("a=x", True, True, "a=sendrecv"),
    ],
)
def test_a_direction_is_answered_by_its_mirror(attribute: str, send: bool, receive: bool, written: str) -> None:
    for body in (
        offer("m=audio 6000 RTP/AVP 8", attribute),
        offer(attribute, "m=audio 6000 RTP/AVP 8"),
        offer("a=inactive", "m=audio 6000 RTP/AVP 8", "a=sendrecv", attribute),
    ):
        lines, agreed = answered(body)
        assert (agreed.send, agreed.receive) == (send, receive)
        assert lines[-1] == written
        assert agreed.remote_port == 6000


@pytest.mark.parametrize(("connection", "local"), [("IN IP4 0.0.0.0", "192.0.2.1"), ("IN IP6 ::", "2001:db8::1")])
def test_the_unspecified_address_holds_the_call(connection: str, local: str) -> None:
    lines, agreed = answered(offer("m=audio 6000 RTP/AVP 8", connection=connection), local)
    assert (agreed.send, agreed.receive, agreed.remote_port, agreed.rtcp_port) == (False, True, 0, None)
    assert lines[-1] == "a=recvonly"


def test_other_streams_are_answered_with_port_0_in_their_place() -> None:
    lines, _ = answered(
        offer(
            "m=video 6004 RTP/AVP 31 96", "a=rtpmap:96 H264/90000", "m=audio 6002 RTP/SAVP 8", "m=audio 6000 RTP/AVP 8",
            "m=audio 6006 RTP/AVP 8", "m=image 6010 udptl t38",
        )
    )  # fmt: skip
    assert [line for line in lines if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 31 96", "m=audio 0 RTP/SAVP 8", "m=audio 20000 RTP/AVP 8", "m=audio 0 RTP/AVP 8",
        "m=image 0 UDPTL t38",
    ]  # fmt: skip


def test_ipv6_is_answered_in_ipv6_and_the_offers_times_repeated() -> None:
    body = offer("m=audio 6000 RTP/AVP 8", connection="IN IP6 2001:DB8:0::20", times="t=3338481189 3370017201")
    lines, agreed = answered(body, "2001:db8::1")
    assert lines[3:5] == ["c=IN IP6 2001:db8::1", "t=3338481189 3370017201"]
    assert agreed.remote_address == "2001:db8::20"


def test_the_media_lines_own_address_counts() -> None:
    body = offer("m=audio 6000 RTP/AVP 8", "c=IN IP4 192.0.2.99/127")
    assert answered(body)[1].remote_address == "192.0.2.99"


@pytest.mark.parametrize(
    ("attribute", "port"),
    [
        ("a=rtcp:7001", 7001),
        ("a=rtcp:7001 IN IP4 192.0.2.10", 7001),
        ("a=rtcp:7001 IN IP4 203.0.113.9", None),
        ("a=rtcp:0", None),
        ("a=rtcp:99999", None),
        ("a=rtcp:x", None),
        ("a=rtcp:", None),
        ("a=sendrecv", 6001),
    ],
)
def test_rtcp_goes_where_rfc_3605_says_but_to_no_third_party(attribute: str, port: int | None) -> None:
    assert answered(offer("m=audio 6000 RTP/AVP 8", attribute))[1].rtcp_port == port


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (offer(), "no audio stream is offered"),
        (offer("m=video 6000 RTP/AVP 31"), "no audio stream is offered"),
        (offer("m=audio 0 RTP/AVP 8"), "switched off"),
        (offer("m=audio 6000 RTP/SAVP 8"), "RTP/SAVP is not supported"),
        (offer("m=audio 6000 UDP/TLS/RTP/SAVPF 8"), "UDP/TLS/RTP/SAVPF is not supported"),
        (offer("m=audio 6000 RTP/AVP 18"), "no common codec"),
        (offer("m=audio 6000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), "no common codec"),
        (offer("m=audio 6000 RTP/AVP 8", connection="IN IP4 pbx.example"), "not numeric"),
        (offer("m=audio 6000 RTP/AVP 8", connection="IN IP4 224.2.1.1/127"), "single host"),
        (offer("m=audio 6000 RTP/AVP 8", connection="IN IP4 255.255.255.255"), "single host"),
        (offer("m=audio 6000 RTP/AVP 8", connection="IN IP6 2001:db8::1"), "IPv4"),
        (offer("m=audio 6000 RTP/AVP 8", connection="IN IP4 2001:db8::1"), "IPv4"),
        (b"v=0\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n", "no address"),
    ],
)
def test_an_offer_that_cannot_be_taken_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(NotAcceptable, match=reason):
        answered(body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"hello", b"v=1\r\n", offer("m=audio RTP/AVP 8"), offer("m=audio x RTP/AVP 8"),
        offer("m=audio -1 RTP/AVP 8"), offer("m=audio 65536 RTP/AVP 8"), offer("c=IN IP4"), offer("c=ATM NSAP x"),
        offer(*["m=audio 1 RTP/AVP 8"] * 33),
    ],
)  # fmt: skip
def test_what_is_no_description_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedDescription):
        sdp.parse(body)


def test_bare_line_feeds_and_unknown_lines_are_tolerated() -> None:
    body = offer("m=audio 6000 RTP/AVP 8").replace(b"\r\n", b"\n") + b"\nq=?\nnothing\na\n\n"
    assert answered(body)[1].remote_port == 6000


def test_a_times_line_cannot_bring_a_line_of_its_own() -> None:
    assert answered(offer("m=audio 6000 RTP/AVP 8", times="t=0 0\ra=inactive"))[0][4] == "t=0 0 a=inactive"


def test_our_own_offer_is_acceptable_and_lists_pcma_first() -> None:
    body = sdp.offer(local_address="192.0.2.1", port=20000, session_id=7, session_version=1)
    assert b"m=audio 20000 RTP/AVP 8 0 101\r\n" in body
    agreed = answered(body)[1]
    assert (agreed.codec, agreed.event_payload_type) == ("PCMA", 101)


@pytest.mark.parametrize(
    ("lines", "codec", "events"),
    [
        (["m=audio 6000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000"], "PCMU", 101),
        (["m=audio 6000 RTP/AVP 0 8"], "PCMU", None),
        (["m=audio 6000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000"], "PCMA", 101),
    ],
)
def test_the_answer_to_our_offer_settles_the_codec(lines: list[str], codec: str, events: int | None) -> None:
    agreed = sdp.accept_answer(sdp.parse(offer(*lines)), local_address="192.0.2.1")
    assert (agreed.codec, agreed.event_payload_type) == (codec, events)


@pytest.mark.parametrize("lines", [[], ["m=audio 0 RTP/AVP 8"], ["m=audio 6000 RTP/AVP 18"], ["m=video 1 RTP/AVP 31"]])
def test_an_answer_that_refuses_our_offer_is_not_acceptable(lines: list[str]) -> None:
    with pytest.raises(NotAcceptable):
        sdp.accept_answer(sdp.parse(offer(*lines)), local_address="192.0.2.1")


def test_the_session_version_grows_only_with_a_change() -> None:
    session = LocalSession(7, address="192.0.2.1", port=20000)
    active, held = (sdp.parse(offer("m=audio 6000 RTP/AVP 8", direction)) for direction in ("a=sendrecv", "a=sendonly"))
    versions = [
        int(session.answer(description)[0].split(b"o=- 7 ")[1].split(b" ")[0])
        for description in (active, active, held, held, active)
    ]
    assert versions == [1, 1, 2, 2, 3]


def test_an_offer_of_ours_repeated_keeps_its_version() -> None:
    session = LocalSession(7, address="192.0.2.1", port=20000)
    assert session.offer() == session.offer()
    answer, _ = session.answer(sdp.parse(offer("m=audio 6000 RTP/AVP 8")))
    assert b"o=- 7 2 IN" in answer
    assert session.accept(sdp.parse(offer("m=audio 6000 RTP/AVP 8"))).codec == "PCMA"


@settings(deadline=None)
@given(
    body=st.lists(
        st.sampled_from(
            ["v=0", "m=audio 6000 RTP/AVP 8 101", "m=audio", "m=audio 1 RTP/AVP", "c=IN IP4 192.0.2.10", "c=IN IP6 ::1",
             "a=rtpmap:101 telephone-event/8000", "a=rtpmap:", "a=rtpmap", "a=rtcp: IN", "a=", "=", "m=", "c=", "t=",
             "a=inactive", "m=audio 99 RTP/AVP ² 8", "c=IN IP4 1.2.3.4.5", "a=rtcp:²"]
        )
    ),
    tail=st.binary(max_size=20),
)  # fmt: skip
def test_no_description_raises_anything_but_its_own_errors(body: list[str], tail: bytes) -> None:
    try:
        answered("\r\n".join(["v=0", *body]).encode() + tail)
    except (MalformedDescription, NotAcceptable):
        return
