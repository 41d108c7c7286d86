"""Every early refusal: its status, its obligatory headers, and that a call is never begun by it."""

from __future__ import annotations

import pytest
from sip_caller import TCP, UDP, Scene, invite, only, request, sent, statuses

from ivr.sip.message import Response
from ivr.sip.user_agent_server import Disconnect, Limits, Offered, Peer, Recorded

REFUSED = [
    ("no From", invite(leave_out=["From"]), 400),
    ("no To", invite(leave_out=["To"]), 400),
    ("no Call-ID", invite(leave_out=["Call-ID"]), 400),
    ("no CSeq", invite(leave_out=["CSeq"]), 400),
    ("two From", invite(headers=["From: <sip:a@b>;tag=1", "From: <sip:c@d>;tag=2"]), 400),
    ("two Call-ID", invite(headers=["Call-ID: a", "Call-ID: b"]), 400),
    ("CSeq of another method", invite(headers=["CSeq: 1 OPTIONS"]), 400),
    ("CSeq out of range", invite(headers=["CSeq: 2147483648 INVITE"]), 400),
    ("CSeq of thousands of digits", invite(headers=[f"CSeq: {'9' * 9000} INVITE"]), 400),
    ("blank in Call-ID", invite(headers=["Call-ID: a b"]), 400),
    ("unterminated quote", invite(headers=['From: "Zhang <sip:a@b>;tag=1']), 400),
    ("unclosed bracket", invite(headers=["To: <sip:a@b"]), 400),
    ("Contact that is no URI", invite(headers=["Contact: *"]), 400),
    ("Contact of a scheme that cannot be called", invite(headers=["Contact: <http://a>"]), 400),
    ("Record-Route that is no URI", invite(headers=["Record-Route: <a b>"]), 400),
    ("Request-URI with a bad port", invite(uri="sip:survey@192.0.2.1:99999"), 400),
    ("unquotable Require", invite(headers=['Require: "open, tag']), 400),
    ("line without colon", invite(headers=["what is this"]), 400),
    ("longer Content-Length", invite(headers=["Content-Length: 9999"]), 400),
    ("negative Content-Length", invite(headers=["Content-Length: -1"]), 400),
    ("another version", invite().replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1), 505),
    ("REGISTER", request("REGISTER"), 405),
    ("MESSAGE", request("MESSAGE"), 405),
    ("REFER", request("REFER"), 405),
    ("unknown method", request("DANCE"), 501),
    ("method in lower case", request("invite"), 501),
    ("unknown scheme", invite(uri="fax:123"), 416),
    ("sips without TLS", invite(uri="sips:survey@192.0.2.1"), 416),
    ("Require 100rel", invite(headers=["Require: 100rel"]), 420),
    ("Require timer", request("OPTIONS", headers=["Require: timer"]), 420),
    ("body that is no SDP", invite(content_type="text/plain"), 415),
    ("compressed body", invite(headers=["Content-Encoding: gzip"]), 415),
    ("multipart without SDP", invite(content_type="multipart/mixed;boundary=x"), 415),
    ("Accept without SDP", invite(headers=["Accept: text/plain"]), 406),
    ("empty Accept", invite(headers=["Accept:"]), 406),
    ("To tag of no dialog", invite(to_tag="gone"), 481),
    ("BYE of no dialog", request("BYE", to_tag="gone"), 481),
    ("BYE without To tag", request("BYE"), 481),
    ("INFO of no dialog", request("INFO", to_tag="gone"), 481),
    ("UPDATE of no dialog", request("UPDATE", to_tag="gone"), 481),
    ("OPTIONS of no dialog", request("OPTIONS", to_tag="gone"), 481),
    ("BYE of no dialog for another host", request("BYE", to_tag="gone", uri="sip:a@elsewhere.example"), 404),
    ("CANCEL of nothing", request("CANCEL"), 481),
    ("headers without end", invite(headers=["X: " + "a" * 17_000]), 513),
]


@pytest.mark.parametrize(("data", "status"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_request_is_refused_with_the_status_due(data: bytes, status: int) -> None:
    scene = Scene()
    effects = scene.receive(data)
    assert statuses(effects) == [status]
    assert only(effects, Recorded)
    assert not only(effects, Offered)
    assert scene.server.calls == 0
    assert statuses(scene.receive(request("OPTIONS", branch="z9hG4bKcontrol"))) == [200]


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        (request("REGISTER"), "allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"),
        (invite(headers=["Require: 100rel, timer"]), "unsupported", "100rel, timer"),
        (invite(content_type="text/plain"), "accept", "application/sdp, application/dtmf-relay, application/dtmf"),
        (invite(headers=["Content-Encoding: gzip"]), "accept-encoding", "identity"),
    ],
)
def test_a_refusal_says_what_would_have_been_taken(data: bytes, name: str, value: str) -> None:
    (answer,) = sent(Scene().receive(data))
    assert answer.header(name) == value


def test_a_refusal_repeats_what_the_request_said_byte_for_byte() -> None:
    display = 'From: "\u5f20 \\" \xff" <sip:a#b@192.0.2.10;x="y>;tag=t;z="q;w"'.encode("utf-8", "surrogateescape")
    data = invite(headers=["From: FROM"]).replace(b"From: FROM", display).replace(b"2.0/UDP", b"2.0 / UDP ", 1)
    answer = Scene().receive(data + b"")[0].data
    assert display in answer
    assert b"Call-ID: a84b4c76e66710@192.0.2.10\r\nCSeq: 1 INVITE\r\n" in answer


def test_what_is_left_of_a_broken_request_is_salvaged_into_the_400() -> None:
    (answer,) = sent(Scene().receive(invite(leave_out=["From"], headers=["To: <sip:x@y"])))
    assert isinstance(answer, Response)
    assert answer.status == 400
    assert answer.reason == "Missing From"
    assert answer.header("to") == "<sip:x@y"
    assert answer.call_id
    assert answer.cseq == (1, "INVITE")
    assert "from" not in answer.fields


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\0\0\0\0", b" ", b""])
def test_a_keep_alive_is_met_with_silence(data: bytes) -> None:
    assert Scene().receive(data) == []


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"SIP/2.0 99999 No\r\n\r\n",
        b"SIP/2.0 099 No\r\n\r\n",
        invite(leave_out=["Via"]),
        request("ACK", leave_out=["From"]),
        request("ACK", to_tag="gone"),
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\nCSeq: 1 BYE\r\n\r\n",
        b"SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n",
    ],
)
def test_what_cannot_be_answered_is_recorded_and_dropped(data: bytes) -> None:
    effects = Scene().receive(data)
    assert not sent(effects)
    assert len(only(effects, Recorded)) == 1


def test_another_branch_of_the_same_invite_is_482() -> None:
    scene = Scene()
    scene.offered()
    assert statuses(scene.receive(invite(branch="z9hG4bKother"))) == [482]
    assert scene.server.calls == 1


def test_the_same_caller_may_call_again_with_another_cseq_or_call_id() -> None:
    scene = Scene()
    scene.offered()
    assert only(scene.receive(invite(branch="z9hG4bKtwo", call_id="other")), Offered)
    assert only(scene.receive(invite(branch="z9hG4bKthree", cseq=2)), Offered)


def test_a_full_node_answers_503_and_when_to_come_again() -> None:
    scene = Scene(Limits(max_calls=1, retry_after_seconds=7))
    scene.offered()
    (answer,) = sent(scene.receive(invite(branch="z9hG4bKtwo", call_id="two")))
    assert isinstance(answer, Response)
    assert (answer.status, answer.header("retry-after")) == (503, "7")
    assert scene.server.calls == 1


def test_a_draining_node_refuses_new_calls_and_probes_and_lets_running_ones_finish() -> None:
    scene = Scene()
    _, tag = scene.established()
    scene.server.draining = True
    assert statuses(scene.receive(request("OPTIONS", branch="z9hG4bKprobe", call_id="probe"))) == [503]
    (refusal,) = sent(scene.receive(invite(branch="z9hG4bKtwo", call_id="two")))
    assert refusal.header("retry-after")
    assert statuses(scene.receive(scene.within("OPTIONS", tag, cseq=2))) == [200]
    assert statuses(scene.receive(scene.within("BYE", tag, cseq=3))) == [200]


def test_options_tells_what_is_spoken_here() -> None:
    (answer,) = sent(Scene().receive(request("OPTIONS")))
    assert answer.elements("allow") == ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE"]
    assert "application/sdp" in answer.elements("accept")
    assert answer.header("supported") == ""
    assert answer.to.tag


def test_copies_of_an_unremembered_request_get_the_same_answer() -> None:
    scene = Scene()
    first, second = (scene.receive(request("OPTIONS"))[0].data for _ in range(2))
    assert first == second
    assert scene.server.transactions == 0


def test_a_refused_invite_is_answered_again_until_its_ack_over_udp() -> None:
    scene = Scene()
    scene.receive(invite(content_type="text/plain"))
    resent = scene.pass_time(40)
    assert [at for at, _ in resent] == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert scene.server.transactions == 0


def test_the_ack_of_a_refusal_silences_it_and_is_absorbed_for_five_seconds() -> None:
    scene = Scene()
    (answer,) = sent(scene.receive(invite(content_type="text/plain")))
    ack = request("ACK", to_tag=answer.to.tag)
    assert scene.receive(ack) == []
    assert scene.receive(ack) == []
    assert scene.pass_time(4.9) == []
    assert scene.server.transactions == 1
    assert scene.pass_time(0.1) == []
    assert scene.server.transactions == 0


def test_over_tcp_a_refusal_is_sent_once_and_forgotten_after_32_seconds() -> None:
    scene = Scene(peer=TCP)
    scene.receive(invite(content_type="text/plain", transport="TCP"))
    assert scene.pass_time(31.9) == []
    assert scene.server.transactions == 1
    assert scene.pass_time(0.1) == []
    assert scene.server.transactions == 0


def test_a_full_transaction_table_refuses_without_remembering() -> None:
    scene = Scene(Limits(max_transactions=1))
    scene.offered()
    assert statuses(scene.receive(invite(branch="z9hG4bKtwo", call_id="two"))) == [503]
    assert statuses(scene.receive(invite(branch="z9hG4bK3", call_id="three", content_type="text/plain"))) == [415]
    assert scene.server.transactions == 1


def test_over_tcp_a_request_without_content_length_is_400() -> None:
    scene = Scene(peer=TCP)
    assert statuses(scene.receive(request("OPTIONS", leave_out=["Content-Length"], transport="TCP"))) == [400]


def test_over_tcp_a_wrong_content_length_closes_the_connection() -> None:
    effects = Scene(peer=TCP).receive(invite(headers=["Content-Length: nine"], transport="TCP"))
    assert statuses(effects) == [400]
    assert effects[-1] == Disconnect(TCP)


@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        ("SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bKx"),
        (
            "SIP/2.0/UDP 192.0.2.10;rport;branch=z9hG4bKx",
            "SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKx;received=192.0.2.10;rport=5070",
        ),
        ("SIP/2.0/UDP pbx.example;branch=z9hG4bKx", "SIP/2.0/UDP pbx.example;branch=z9hG4bKx;received=192.0.2.10"),
        (
            "SIP/2.0/UDP 10.0.0.1;received=10.9.9.9;branch=z9hG4bKx, SIP/2.0/TCP b",
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;received=192.0.2.10, SIP/2.0/TCP b",
        ),
        (
            "SIP / 2.0 / UDP  pbx : 5070 ;branch = z9hG4bKx",
            "SIP / 2.0 / UDP  pbx : 5070 ;branch = z9hG4bKx;received=192.0.2.10",
        ),
    ],
)
def test_responses_say_where_the_request_came_from(via: str, stamped: str) -> None:
    effects = Scene().receive(request("OPTIONS", via=via))
    assert sent(effects)[0].header("via") == stamped
    assert effects[0].peer == UDP


def test_an_ipv6_peer_is_written_without_brackets_into_received() -> None:
    peer = Peer("udp", "2001:db8::9", 5080, "2001:db8::1", 5060)
    (answer,) = sent(
        Scene(peer=peer).receive(request("OPTIONS", via="SIP/2.0/UDP [2001:db8::7];rport;branch=z9hG4bKx"))
    )
    assert answer.header("via") == "SIP/2.0/UDP [2001:db8::7];branch=z9hG4bKx;received=2001:db8::9;rport=5080"


def test_max_forwards_zero_is_no_matter_for_the_last_hop() -> None:
    assert statuses(Scene().receive(request("OPTIONS", headers=["Max-Forwards: 0"]))) == [200]
