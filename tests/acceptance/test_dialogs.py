"""What may happen around a call: lost and repeated messages, hold, changed addresses, late offers, routes, cancels."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from outside.phone import Phone, media_address, response
from outside.service import Service
from outside.sip_client import Message, acknowledge, request, unique
from outside.waiting import until

PickUp = Callable[..., Phone]


def direction(message: Message) -> str:
    """The direction in an SDP; none written means both ways (RFC 4566 6)."""
    names = ("sendrecv", "sendonly", "recvonly", "inactive")
    lines = message.body.decode().split("\r\n")
    return next((name for name in names if f"a={name}" in lines), "sendrecv")


def cancel_of(invite: Message) -> Message:
    """The CANCEL of an INVITE that is still unanswered (RFC 3261 9.1)."""
    made = Message(invite.start.replace("INVITE", "CANCEL"))
    made.headers = [(name, invite.get(name)) for name in ("Via", "From", "To", "Call-ID", "Max-Forwards")]
    made.headers.append(("CSeq", f"{invite.cseq[0]} CANCEL"))
    return made


def test_a_repeated_invite_gets_the_same_answer_and_makes_no_second_call(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    invite = phone.send_invite()
    first = phone.final()
    phone.wire.send(invite.serialize())
    second = phone.final()
    assert (second.status, second.to_tag, second.body) == (200, first.to_tag, first.body)
    phone.established(first)
    phone.press("1")
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "very_satisfied"


def test_the_200_is_repeated_until_a_late_ack_and_the_question_waits_for_it(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.send_invite()
    first = phone.final()
    phone.audio.start(media_address(first.body))
    again = phone.final(within=2)
    assert (again.start, again.to_tag) == (first.start, first.to_tag)
    assert phone.audio.prompts == [], "nobody is asked before the call is established"
    phone.established(first)
    phone.press("2")
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "satisfied"


def test_a_repeated_ack_and_a_repeated_bye_do_no_harm(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    phone.acknowledge()
    bye = phone.in_dialog("BYE")
    phone.wire.send(bye.serialize())
    assert phone.final("BYE").status == 200
    phone.wire.send(bye.serialize())
    assert phone.final("BYE").status == 200
    assert service.call(phone.call_id)["outcome"] == "hung_up"


def test_our_bye_is_repeated_until_it_is_answered(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    phone.press("1")
    first = phone.expect(lambda message: message.method == "BYE", "BYE")
    again = phone.expect(lambda message: message.method == "BYE", "BYE again", within=2)
    assert again.get("Via") == first.get("Via")
    phone.wire.send(response(again, 200, "OK").serialize())
    time_after = time.monotonic() + 1.5
    while time.monotonic() < time_after:
        assert phone.wire.receive(0.2) is None, "it goes on after the 200"


def test_byes_that_cross_are_both_answered(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    phone.press("1")
    bye = phone.expect(lambda message: message.method == "BYE", "BYE")
    answer = phone.tell("BYE")
    assert answer.status in {200, 481}
    phone.wire.send(response(bye, 200, "OK").serialize())
    assert service.call(phone.call_id)["outcome"] == "rated"


@pytest.mark.parametrize(("ours", "theirs"), [("sendonly", "recvonly"), ("inactive", "inactive")])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_hold_silences_the_stream_and_unhold_brings_it_back(
    service: Service, pick_up: PickUp, ours: str, theirs: str, method: str
) -> None:
    phone = pick_up(service)
    phone.dial()
    until(lambda: phone.audio.packets > 5, "media")

    def change(sdp: str) -> Message:
        return phone.change(sdp) if method == "INVITE" else phone.tell("UPDATE", body=sdp)

    held = change(phone.offer(ours))
    assert (held.status, direction(held)) == (200, theirs)
    # what was on its way when the hold was agreed may still arrive
    time.sleep(0.1)
    before = phone.audio.packets
    time.sleep(0.4)
    assert phone.audio.packets - before <= 1
    back = change(phone.offer())
    assert (back.status, direction(back)) == (200, "sendrecv")
    assert media_address(back.body) == media_address(phone.answer.body)
    until(lambda: phone.audio.packets > before + 5, "media again")
    phone.press("3")
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "basically_satisfied"


def test_media_follows_a_changed_address(service: Service, pick_up: PickUp) -> None:
    phone, elsewhere = pick_up(service), pick_up(service)
    phone.dial()
    until(lambda: phone.audio.packets > 5, "media")
    moved = phone.change(elsewhere.offer())
    assert moved.status == 200
    elsewhere.audio.start(media_address(moved.body))
    until(lambda: elsewhere.audio.packets > 5, "media at the new address")
    elsewhere.press("1")
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "very_satisfied"


def test_a_change_that_cannot_be_agreed_leaves_the_call_as_it_was(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    assert phone.change(phone.offer(formats="18")).status == 488
    before = phone.audio.packets
    until(lambda: phone.audio.packets > before + 5, "media as before")
    phone.press("2")
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "satisfied"


def test_a_reinvite_without_sdp_gets_our_offer(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    again = phone.in_dialog("INVITE")
    phone.wire.send(again.serialize())
    answer = phone.final()
    assert answer.status == 200
    assert media_address(answer.body) == media_address(phone.answer.body)
    phone.wire.send(phone.in_dialog("ACK", cseq=answer.cseq[0], body=phone.offer()).serialize())
    phone.press("2")
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "satisfied"


def test_a_late_offer_is_answered_in_the_ack(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.send_invite(sdp="")
    answer = phone.final()
    assert answer.status == 200
    assert b"m=audio" in answer.body
    phone.established(answer, body=phone.offer())
    phone.asked()
    phone.press("5")
    phone.hung_up_on()
    assert phone.audio.prompts == ["ask", "thanks"]
    assert service.evaluation(phone.call_id)["grade"] == "very_dissatisfied"


def test_a_late_offer_never_answered_is_hung_up(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.send_invite(sdp="")
    phone.established(phone.final())
    phone.hung_up_on()
    assert service.call(phone.call_id)["outcome"] in {"hung_up", "error"}


def test_a_recorded_route_is_kept_and_used(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    routes = [f"<sip:{phone.wire.address};lr;first=1>", f"<sip:{phone.wire.address};lr;second=2>"]
    invite = request(phone.wire, "INVITE", sdp=phone.offer())
    invite.headers[1:1] = [("Record-Route", route) for route in routes]
    phone.invite = invite
    phone.wire.send(invite.serialize())
    answer = phone.final()
    assert answer.all("Record-Route") == routes
    phone.established(answer)
    phone.press("1")
    bye = phone.hung_up_on()
    assert ", ".join(bye.all("Route")).replace(" ", "") == ",".join(routes)
    assert bye.start == f"BYE {invite.get('Contact').strip('<>')} SIP/2.0"


def test_every_via_comes_back_in_order_with_the_source_noted(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    options = request(phone.wire, "OPTIONS")
    below = f"SIP/2.0/UDP 192.0.2.1;branch={unique('z9hG4bK')}"
    options.headers.insert(1, ("Via", below))
    answer = phone.wire.ask(options)
    assert answer is not None
    vias = answer.all("Via")
    assert vias[1] == below
    assert f"rport={phone.wire.port}" in vias[0]


@pytest.mark.parametrize("patience", [0.0, 0.002, 0.01])
def test_a_cancel_that_races_the_answer_leaves_no_ghost(service: Service, pick_up: PickUp, patience: float) -> None:
    phone = pick_up(service)
    invite = phone.send_invite()
    time.sleep(patience)
    phone.wire.send(cancel_of(invite).serialize())
    final = phone.final()
    assert final.status in {200, 487}
    if final.status == 200:
        # the glare of RFC 3261 9.1: what was answered is acknowledged and hung up
        phone.established(final)
        assert phone.hang_up().status == 200
        row = service.call(phone.call_id)
        assert (row["outcome"], row["ended_by"]) == ("hung_up", "caller")
    until(lambda: service.figure("pingjia_calls_active") == 0, "no call left")
    assert service.evaluations_of(phone.call_id) == []


def test_a_cancel_after_the_answer_has_no_effect(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    answer = phone.wire.ask(cancel_of(phone.invite))
    assert answer is not None
    assert answer.status in {200, 481}
    phone.press("1")
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "very_satisfied"


def test_an_options_within_the_dialog_is_answered(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    assert phone.tell("OPTIONS").status == 200
    phone.press("1")
    phone.hung_up_on()
    assert service.call(phone.call_id)["outcome"] == "rated"


def test_a_request_out_of_order_is_refused_and_the_call_goes_on(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    phone.dial()
    assert phone.tell("INFO", body="Signal=2\r\n", Content_Type="application/dtmf-relay", cseq=0).status == 200
    stale = phone.in_dialog("INFO", cseq=1, body="Signal=5\r\n", Content_Type="application/dtmf-relay")
    phone.wire.send(stale.serialize())
    # RFC 3261 12.2.2: a lower CSeq is out of order, 500
    assert phone.final("INFO").status == 500
    phone.hung_up_on()
    assert service.evaluation(phone.call_id)["grade"] == "satisfied"


@pytest.fixture
def slow(launch: Callable[..., Service]) -> Iterator[Service]:
    """A node whose media process stands still, so that no call can be answered; it goes on afterwards."""
    node = launch("ivr")
    media = node.media_process()
    os.kill(media, signal.SIGSTOP)
    yield node
    os.kill(media, signal.SIGCONT)


def test_a_cancel_before_the_answer_ends_the_call(slow: Service, pick_up: PickUp) -> None:
    phone = pick_up(slow)
    invite = phone.send_invite()
    assert phone.expect(lambda message: message.status > 0, "a provisional response").status == 100
    phone.wire.send(cancel_of(invite).serialize())
    finals = {}
    for _ in range(2):
        message = phone.expect(lambda message: message.status >= 200, "both final responses")
        finals[message.cseq[1]] = message
    assert {name: message.status for name, message in finals.items()} == {"CANCEL": 200, "INVITE": 487}
    phone.wire.send(acknowledge(invite, finals["INVITE"]).serialize())
    os.kill(slow.media_process(), signal.SIGCONT)
    after = pick_up(slow)
    after.dial()
    assert after.hang_up().status == 200
    slow.run("db", "upgrade")
    slow.run("deliver", "--once")
    assert [row["call_id"] for row in slow.calls()] == [after.call_id], "a call never answered has no row"


def test_a_node_without_media_sends_callers_elsewhere(slow: Service, pick_up: PickUp) -> None:
    refused = pick_up(slow).refused()
    assert refused.status == 503
    assert refused.get("Retry-After").partition(" ")[0].isdigit()
    os.kill(slow.media_process(), signal.SIGCONT)
    after = pick_up(slow)
    after.dial()
    assert after.hang_up().status == 200
