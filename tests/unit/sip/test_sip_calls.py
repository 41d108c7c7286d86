"""A call from INVITE to BYE and every way it may go otherwise, with a clock set by hand."""

from __future__ import annotations

import pytest
from sip_caller import OFFER, TCP, UDP, Scene, invite, only, request, sent, statuses

from ivr.sip.message import Request, Response, serialize
from ivr.sip.user_agent_server import (
    ChangeAnswered,
    ChangeOffered,
    Ended,
    EndedBy,
    Established,
    Limits,
    Offered,
    Peer,
    Transmit,
)

RESENT_2XX = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_an_invite_is_answered_100_at_once_and_offered() -> None:
    scene = Scene()
    trying, offered = scene.receive(invite(headers=["Timestamp: 54"]))
    (answer,) = sent([trying])
    assert isinstance(answer, Response)
    assert (answer.status, answer.to.tag, answer.header("timestamp")) == (100, None, "54")
    assert isinstance(offered, Offered)
    assert (offered.offer, offered.peer, offered.invite.uri.user) == (OFFER, UDP, "survey")


def test_ringing_and_answer_carry_one_tag_our_contact_and_the_record_route() -> None:
    scene = Scene()
    routes = ["Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>", "Record-Route: <sip:p0.example;lr>"]
    call = scene.offered(invite(headers=routes))
    ringing, answer = sent(scene.server.ring(call) + scene.server.accept(call, b"v=0\r\n", scene.now))
    assert isinstance(ringing, Response)
    assert isinstance(answer, Response)
    assert (ringing.status, answer.status) == (180, 200)
    assert ringing.to.tag == answer.to.tag is not None
    for message in (ringing, answer):
        assert [f"Record-Route: {value}" for value in message.headers("record-route")] == routes
        assert message.header("contact") == "<sip:pingjia@192.0.2.1:5060>"
    assert answer.body == b"v=0\r\n"
    assert answer.content_type == "application/sdp"


def test_the_answer_is_resent_until_the_ack_then_never_again() -> None:
    scene = Scene()
    call, tag = scene.accepted()
    assert [at for at, _ in scene.pass_time(4)] == RESENT_2XX[:3]
    assert scene.receive(scene.within("ACK", tag, cseq=1)) == [Established(call, None)]
    assert scene.receive(scene.within("ACK", tag, cseq=1)) == []
    assert scene.pass_time(100) == []


def test_an_ack_on_the_branch_of_its_invite_counts_whatever_its_to_tag() -> None:
    """PyVoIP 1.6.8 acknowledges a 200 on the INVITE's branch with a To tag it makes up."""
    scene = Scene()
    call, _ = scene.accepted()
    ack = request("ACK", to_tag="made-up")
    assert scene.receive(ack) == [Established(call, None)]
    assert scene.receive(ack) == []
    assert scene.pass_time(64) == []
    assert scene.server.calls == 1


def test_over_tcp_too_the_answer_is_resent_until_the_ack() -> None:
    scene = Scene(peer=TCP)
    scene.accepted()
    assert [at for at, _ in scene.pass_time(8)] == RESENT_2XX[:4]


def test_without_an_ack_the_call_is_hung_up_after_32_seconds() -> None:
    scene = Scene()
    call, _ = scene.accepted()
    happened = scene.pass_time(32)
    assert [at for at, _ in happened[:-2]] == RESENT_2XX
    (bye,) = sent([happened[-2][1]])
    assert isinstance(bye, Request)
    assert bye.method == "BYE"
    assert "408" in (bye.header("reason") or "")
    assert happened[-1] == (32.0, Ended(call, EndedBy.NO_ACK))
    assert scene.server.calls == 0
    scene.pass_time(64)
    assert len(scene.ends) == 1
    assert scene.server.transactions == 0


def test_copies_of_an_invite_get_the_last_response_again() -> None:
    scene = Scene()
    call = scene.offered()
    assert statuses(scene.receive(invite())) == [100]
    scene.server.ring(call)
    assert statuses(scene.receive(invite())) == [180]
    answer = scene.server.accept(call, b"v=0\r\n", scene.now)
    assert scene.receive(invite()) == answer
    assert len(only(scene.seen, Offered)) == 1


def test_a_late_copy_of_an_acknowledged_invite_gets_the_stored_200_for_32_seconds() -> None:
    scene = Scene()
    scene.established()
    scene.pass_time(31.9)
    assert statuses(scene.receive(invite())) == [200]
    assert scene.server.transactions == 1
    scene.pass_time(0.1)
    assert scene.server.transactions == 0


def test_a_late_copy_rings_nobody_even_after_the_call_is_over() -> None:
    scene = Scene()
    _, tag = scene.established()
    scene.receive(scene.within("BYE", tag, cseq=2))
    assert statuses(scene.receive(invite())) == [200]
    assert scene.server.calls == 0


def test_the_caller_hangs_up_and_copies_of_the_bye_get_200_again() -> None:
    scene = Scene()
    call, tag = scene.established()
    bye = scene.within("BYE", tag, cseq=2, headers=["Reason: Q.850;cause=16"])
    answer, ended = scene.receive(bye)
    assert statuses([answer]) == [200]
    assert ended == Ended(call, EndedBy.CALLER, None, "Q.850;cause=16")
    assert scene.receive(bye) == [answer]
    assert scene.server.calls == 0
    assert scene.pass_time(64) == []
    assert scene.server.transactions == 0
    assert statuses(scene.receive(bye)) == [481]


def test_the_service_hangs_up_and_hears_the_answer_to_its_bye() -> None:
    scene = Scene()
    call, _ = scene.established()
    (bye,) = sent(scene.server.hang_up(call, scene.now, "Q.850;cause=16"))
    assert isinstance(bye, Request)
    assert (bye.method, bye.uri_text) == ("BYE", "sip:02512345@192.0.2.10:5070")
    assert (bye.header("reason"), bye.cseq) == ("Q.850;cause=16", (1, "BYE"))
    assert (bye.from_.tag, bye.to.tag) == ("tag1", "caller")
    assert scene.server.calls == 1
    ok = Response(200, "OK", {name: bye.headers(name) for name in ("via", "from", "to", "call-id", "cseq")})
    assert scene.receive(serialize(ok)) == [Ended(call, EndedBy.SERVICE, 200)]
    assert scene.server.hang_up(call, scene.now) == []
    assert sent(effect for _, effect in scene.pass_time(64)) == []


def test_an_unanswered_bye_is_resent_and_given_up_after_32_seconds() -> None:
    scene = Scene()
    call, _ = scene.established()
    scene.server.hang_up(call, scene.now)
    happened = scene.pass_time(40)
    assert [at for at, effect in happened if isinstance(effect, Transmit)] == RESENT_2XX
    assert happened[-1] == (32.0, Ended(call, EndedBy.SERVICE, 408))


def test_a_provisional_answer_to_the_bye_slows_its_copies_to_t2() -> None:
    scene = Scene()
    call, _ = scene.established()
    (bye,) = sent(scene.server.hang_up(call, scene.now))
    trying = Response(100, "Trying", {name: bye.headers(name) for name in ("via", "from", "to", "call-id", "cseq")})
    assert scene.receive(serialize(trying)) == []
    assert [at for at, _ in scene.pass_time(9)] == [0.5, 4.5, 8.5]


def test_over_tcp_the_bye_is_sent_once() -> None:
    scene = Scene(peer=TCP)
    call, _ = scene.established()
    (bye,) = sent(scene.server.hang_up(call, scene.now))
    assert bye.via.transport == "TCP"
    assert scene.pass_time(40) == [(32.0, Ended(call, EndedBy.SERVICE, 408))]


def test_a_hang_up_before_the_ack_waits_for_it() -> None:
    scene = Scene()
    call, tag = scene.accepted()
    assert scene.server.hang_up(call, scene.now) == []
    (bye,) = sent(scene.receive(scene.within("ACK", tag, cseq=1)))
    assert isinstance(bye, Request)
    assert not only(scene.seen, Established)


def test_a_hang_up_before_an_ack_that_never_comes_ends_all_the_same() -> None:
    scene = Scene()
    call, _ = scene.accepted()
    scene.server.hang_up(call, scene.now)
    scene.pass_time(64)
    assert scene.ends == [Ended(call, EndedBy.SERVICE, 408)]


def test_byes_that_cross_end_the_call_once() -> None:
    scene = Scene()
    call, tag = scene.established()
    (bye,) = sent(scene.server.hang_up(call, scene.now))
    assert statuses(scene.receive(scene.within("BYE", tag, cseq=2))) == [200]
    gone = Response(481, "Gone", {name: bye.headers(name) for name in ("via", "from", "to", "call-id", "cseq")})
    assert scene.receive(serialize(gone)) == []
    assert scene.ends == [Ended(call, EndedBy.SERVICE)]


def test_cancel_is_answered_200_and_the_invite_487() -> None:
    scene = Scene()
    call = scene.offered()
    scene.server.ring(call)
    ok, terminated, ended = scene.receive(request("CANCEL", headers=["Reason: SIP;cause=200"]))
    assert [(message.status, message.cseq.method) for message in sent([ok, terminated])] == [
        (200, "CANCEL"),
        (487, "INVITE"),
    ]
    assert len({message.to.tag for message in sent([ok, terminated])}) == 1
    assert ended == Ended(call, EndedBy.CANCELLED, 487, "SIP;cause=200")
    assert scene.receive(request("CANCEL")) == [ok]
    assert scene.server.accept(call, b"v=0\r\n", scene.now) == []
    assert scene.receive(request("ACK", to_tag="tag1")) == []
    assert scene.pass_time(64) == []


def test_a_cancel_after_the_answer_is_answered_200_and_changes_nothing() -> None:
    scene = Scene()
    call, tag = scene.accepted()
    assert statuses(scene.receive(request("CANCEL"))) == [200]
    assert scene.receive(scene.within("ACK", tag, cseq=1)) == [Established(call, None)]


def test_a_refused_call_ends_with_the_status_and_the_gateways_headers() -> None:
    scene = Scene()
    call = scene.offered()
    headers = [("Warning", '399 pingjia "x"\r\nEvil: yes')]
    refusal, ended = scene.server.refuse(call, 488, scene.now, headers, "No Common\r\nCodec")
    (answer,) = sent([refusal])
    assert isinstance(answer, Response)
    assert (answer.status, answer.reason) == (488, "No Common Codec")
    assert "evil" not in answer.fields
    assert ended == Ended(call, EndedBy.SERVICE, 488)
    assert scene.server.refuse(call, 488, scene.now) == []


def test_a_call_the_gateway_forgets_is_refused_in_the_end() -> None:
    scene = Scene(Limits(answer_seconds=20))
    call = scene.offered()
    refusal, ended = scene.pass_time(20)
    assert statuses([refusal[1]]) == [480]
    assert ended == (20.0, Ended(call, EndedBy.SERVICE, 480))


def test_hanging_up_an_unanswered_call_refuses_it() -> None:
    scene = Scene()
    call = scene.offered()
    assert statuses(scene.server.hang_up(call, scene.now)) == [480]


def test_a_bye_before_the_answer_ends_the_invite_with_487() -> None:
    scene = Scene()
    call = scene.offered()
    (ringing,) = sent(scene.server.ring(call))
    effects = scene.receive(scene.within("BYE", ringing.to.tag or "", cseq=2))
    assert statuses(effects) == [200, 487]
    assert effects[-1] == Ended(call, EndedBy.CALLER, 487)


def test_a_late_offer_is_answered_in_the_ack() -> None:
    scene = Scene()
    call, tag = scene.accepted(request("INVITE"))
    assert only(scene.seen, Offered)[0].offer is None
    assert scene.receive(scene.within("ACK", tag, cseq=1, body=OFFER)) == [Established(call, OFFER)]


def test_an_ack_without_the_answer_due_or_with_something_else_says_so() -> None:
    for changes in ({}, {"body": b"hello", "content_type": "text/plain"}):
        scene = Scene()
        call, tag = scene.accepted(request("INVITE"))
        assert scene.receive(scene.within("ACK", tag, cseq=1, **changes)) == [Established(call, None)]


def test_the_sdp_is_found_within_a_multipart_body() -> None:
    parts = (
        b"--b1\r\nContent-Type: application/isup;version=itu\r\n\r\n\x01\x00\x60\r\n"
        b"--b1\r\nContent-Type: application/sdp\r\n\r\n" + OFFER + b"\r\n--b1--\r\n"
    )
    scene = Scene()
    scene.offered(invite(body=parts, content_type='multipart/mixed; boundary="b1"'))
    assert only(scene.seen, Offered)[0].offer == OFFER


def test_a_reinvite_is_put_to_the_gateway_and_its_200_resent_until_the_ack() -> None:
    scene = Scene()
    call, tag = scene.established()
    trying, change = scene.receive(scene.within("INVITE", tag, cseq=2, body=OFFER))
    assert statuses([trying]) == [100]
    assert change == ChangeOffered(call, OFFER)
    (answer,) = sent(scene.server.accept_change(call, b"v=0\r\n", scene.now))
    assert (answer.status, answer.body, answer.to.tag) == (200, b"v=0\r\n", tag)
    assert [at for at, _ in scene.pass_time(2)] == RESENT_2XX[:2]
    assert scene.receive(scene.within("ACK", tag, cseq=2)) == []
    assert scene.pass_time(64) == []
    assert scene.server.calls == 1


def test_a_reinvite_never_acknowledged_takes_the_call_down() -> None:
    scene = Scene()
    call, tag = scene.established()
    scene.receive(scene.within("INVITE", tag, cseq=2, body=OFFER))
    scene.server.accept_change(call, b"v=0\r\n", scene.now)
    scene.pass_time(32)
    assert scene.ends == [Ended(call, EndedBy.NO_ACK)]


def test_a_reinvite_without_offer_gets_ours_and_its_answer_is_told() -> None:
    scene = Scene()
    call, tag = scene.established()
    assert scene.receive(scene.within("INVITE", tag, cseq=2))[-1] == ChangeOffered(call, None)
    scene.server.accept_change(call, b"v=0\r\n", scene.now)
    assert statuses(scene.receive(scene.within("UPDATE", tag, cseq=3, body=OFFER))) == [491]
    assert scene.receive(scene.within("ACK", tag, cseq=2, body=OFFER)) == [ChangeAnswered(call, OFFER)]


def test_a_second_change_while_one_waits_is_500_with_retry_after() -> None:
    scene = Scene()
    call, tag = scene.established()
    scene.receive(scene.within("INVITE", tag, cseq=2, body=OFFER))
    for method, cseq in (("INVITE", 3), ("UPDATE", 4)):
        (answer,) = sent(scene.receive(scene.within(method, tag, cseq=cseq, body=OFFER)))
        assert answer.status == 500
        assert 0 <= int(answer.header("retry-after") or "") <= 10
    assert statuses(scene.server.accept_change(call, b"v=0\r\n", scene.now)) == [200]


def test_a_refused_change_leaves_the_call_as_it_was() -> None:
    scene = Scene()
    call, tag = scene.established()
    scene.receive(scene.within("INVITE", tag, cseq=2, body=OFFER, headers=["Contact: <sip:new@192.0.2.99>"]))
    assert statuses(scene.server.refuse_change(call, 488, scene.now)) == [488]
    assert scene.server.refuse_change(call, 488, scene.now) == []
    (bye,) = sent(scene.server.hang_up(call, scene.now))
    assert bye.uri_text == "sip:02512345@192.0.2.10:5070"


def test_a_change_with_a_body_that_is_no_sdp_is_415() -> None:
    scene = Scene()
    _, tag = scene.established()
    data = scene.within("INVITE", tag, cseq=2, body=b"x", content_type="text/plain")
    assert statuses(scene.receive(data)) == [415]


def test_a_change_with_a_contact_that_is_no_uri_is_400() -> None:
    scene = Scene()
    _, tag = scene.established()
    assert statuses(scene.receive(scene.within("UPDATE", tag, cseq=2, headers=["Contact: <a b>"]))) == [400]


def test_a_cancelled_reinvite_gets_487_and_the_call_goes_on() -> None:
    scene = Scene()
    call, tag = scene.established()
    scene.receive(scene.within("INVITE", tag, cseq=2, body=OFFER, branch="z9hG4bKre"))
    assert statuses(scene.receive(request("CANCEL", branch="z9hG4bKre", cseq=2, to_tag=tag))) == [200, 487]
    assert scene.server.accept_change(call, b"v=0\r\n", scene.now) == []
    assert scene.server.calls == 1


def test_a_bye_answers_the_change_that_waits() -> None:
    scene = Scene()
    _, tag = scene.established()
    scene.receive(scene.within("INVITE", tag, cseq=2, body=OFFER))
    assert statuses(scene.receive(scene.within("BYE", tag, cseq=3))) == [200, 487]


def test_a_reinvite_stands_for_an_ack_that_was_lost() -> None:
    scene = Scene()
    call, tag = scene.accepted()
    effects = scene.receive(scene.within("INVITE", tag, cseq=2, body=OFFER))
    assert effects[0] == Established(call, None)
    assert effects[-1] == ChangeOffered(call, OFFER)
    assert scene.pass_time(30) == []


def test_a_reinvite_before_the_answer_is_500() -> None:
    scene = Scene()
    call = scene.offered()
    (ringing,) = sent(scene.server.ring(call))
    assert statuses(scene.receive(scene.within("INVITE", ringing.to.tag or "", cseq=2, body=OFFER))) == [500]


def test_an_update_with_an_offer_is_put_to_the_gateway() -> None:
    scene = Scene()
    call, tag = scene.established()
    assert scene.receive(scene.within("UPDATE", tag, cseq=2, body=OFFER)) == [ChangeOffered(call, OFFER)]
    assert scene.receive(scene.within("UPDATE", tag, cseq=2, body=OFFER)) == []
    (answer,) = sent(scene.server.accept_change(call, b"v=0\r\n", scene.now))
    assert (answer.status, answer.body, answer.cseq.method) == (200, b"v=0\r\n", "UPDATE")
    assert scene.pass_time(60) == []


def test_an_update_without_offer_refreshes_the_target_and_is_answered_at_once() -> None:
    scene = Scene()
    call, tag = scene.established()
    data = scene.within("UPDATE", tag, cseq=2, headers=["Contact: <sip:new@192.0.2.99:5099?Route=x>;expires=1"])
    assert statuses(scene.receive(data)) == [200]
    (bye,) = sent(scene.server.hang_up(call, scene.now))
    assert bye.uri_text == "sip:new@192.0.2.99:5099"


@pytest.mark.parametrize("method", ["BYE", "INFO", "INVITE", "UPDATE", "OPTIONS"])
def test_a_request_older_than_one_already_seen_is_500(method: str) -> None:
    scene = Scene()
    _, tag = scene.established()
    scene.receive(scene.within("OPTIONS", tag, cseq=5))
    assert statuses(scene.receive(scene.within(method, tag, cseq=5, branch="z9hG4bKold"))) == [500]
    assert scene.server.calls == 1


def test_a_request_with_our_tag_but_another_callers_is_of_no_dialog() -> None:
    scene = Scene()
    _, tag = scene.established()
    assert statuses(scene.receive(scene.within("BYE", tag, cseq=2, from_tag="thief"))) == [481]
    assert scene.server.calls == 1


def test_loose_routes_stand_in_the_bye_and_it_goes_back_to_who_spoke_last() -> None:
    scene = Scene()
    routes = ["Record-Route: <sip:p2.example;lr>,<sip:p1.example;lr>"]
    call, tag = scene.accepted(invite(headers=routes))
    proxy = Peer("udp", "192.0.2.77", 5060, "192.0.2.1", 5060)
    scene.receive(scene.within("ACK", tag, cseq=1), proxy)
    (transmit,) = scene.server.hang_up(call, scene.now)
    (bye,) = sent([transmit])
    assert bye.uri_text == "sip:02512345@192.0.2.10:5070"
    assert bye.headers("route") == ["<sip:p2.example;lr>", "<sip:p1.example;lr>"]
    assert transmit.peer == proxy


def test_a_strict_router_gets_itself_as_request_uri() -> None:
    scene = Scene()
    call, _ = scene.established(invite(headers=["Record-Route: <sip:strict.example>, <sip:p1.example;lr>"]))
    (bye,) = sent(scene.server.hang_up(call, scene.now))
    assert bye.uri_text == "sip:strict.example"
    assert bye.headers("route") == ["<sip:p1.example;lr>", "<sip:02512345@192.0.2.10:5070>"]


def test_a_caller_of_rfc_2543_without_tag_branch_or_contact_is_served() -> None:
    scene = Scene()
    old = {"from_tag": None, "via": "SIP/2.0/UDP 192.0.2.10:5070", "leave_out": ["Contact"]}
    call, tag = scene.accepted(invite(**old))
    assert statuses(scene.receive(invite(**old))) == [200]
    assert scene.receive(scene.within("ACK", tag, cseq=1, **old)) == [Established(call, None)]
    (bye,) = sent(scene.server.hang_up(call, scene.now))
    assert bye.uri_text == "sip:02512345@192.0.2.10"


def test_the_ack_of_a_refused_rfc_2543_invite_finds_it() -> None:
    scene = Scene()
    old = {"via": "SIP/2.0/UDP 192.0.2.10:5070"}
    (answer,) = sent(scene.receive(invite(content_type="text/plain", **old)))
    assert scene.receive(request("ACK", to_tag=answer.to.tag, **old)) == []
    assert scene.pass_time(64) == []


def test_a_lost_connection_ends_an_unanswered_call() -> None:
    scene = Scene(peer=TCP)
    call = scene.offered()
    assert scene.server.disconnected(TCP.connection, scene.now) == [Ended(call, EndedBy.TRANSPORT)]
    assert scene.server.transactions == 0


def test_a_lost_connection_ends_the_bye_under_way_but_no_running_call() -> None:
    scene = Scene(peer=TCP)
    call, _ = scene.established()
    assert scene.server.disconnected(TCP.connection, scene.now) == []
    scene.server.hang_up(call, scene.now)
    assert scene.server.disconnected(TCP.connection, scene.now) == [Ended(call, EndedBy.SERVICE, 503)]


def test_a_running_call_goes_on_over_a_new_connection() -> None:
    scene = Scene(peer=TCP)
    call, tag = scene.established()
    scene.server.disconnected(TCP.connection, scene.now)
    other = Peer("tcp", "192.0.2.10", 40001, "192.0.2.1", 5060, 8)
    scene.receive(scene.within("OPTIONS", tag, cseq=2), other)
    (transmit,) = scene.server.hang_up(call, scene.now)
    assert transmit.peer == other


def test_what_is_asked_of_a_call_that_is_gone_does_nothing() -> None:
    server, now = Scene().server, 0.0
    gone = [
        server.ring("9"),
        server.accept("9", b"", now),
        server.refuse("9", 404, now),
        server.hang_up("9", now),
        server.accept_change("9", b"", now),
        server.refuse_change("9", 488, now),
    ]
    assert gone == [[]] * 6


def test_after_many_calls_nothing_is_left_behind() -> None:
    scene = Scene()
    for number in range(50):
        mine = {"call_id": f"c{number}"}
        call, tag = scene.established(invite(branch=f"z9hG4bKi{number}", **mine), **mine)
        scene.receive(scene.within("BYE", tag, cseq=2, branch=f"z9hG4bKb{number}", **mine))
        scene.server.hang_up(call, scene.now)
        scene.pass_time(0.01)
    assert scene.server.transactions > 0
    scene.pass_time(100)
    assert (scene.server.calls, scene.server.transactions) == (0, 0)
    assert scene.server.next_deadline is None
