"""Every refusal a caller's side can meet, by its status and the headers it must carry."""

from collections.abc import Callable

import pytest
from outside.phone import Phone
from outside.service import Service
from outside.sip_client import Message, Wire, acknowledge, description, request, unique
from outside.waiting import until

PickUp = Callable[..., Phone]
Make = Callable[[Wire], Message]
ALLOWED = {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE"}


@pytest.fixture
def wire(service: Service) -> Wire:
    """A bare socket towards the service."""
    made = Wire(service.host, service.port)
    yield made
    made.close()


def invite(wire: Wire, sdp: str | None = None, **changes: str | None) -> Message:
    """An INVITE with a good offer unless one is given."""
    return request(wire, "INVITE", sdp=description(wire.host, 40000) if sdp is None else sdp, **changes)


def with_uri(message: Message, uri: str) -> Message:
    """The same message to another Request-URI."""
    method, _, version = message.start.split(" ")
    message.start = f"{method} {uri} {version}"
    return message


def with_version(message: Message, version: str) -> Message:
    """The same message of another protocol version."""
    message.start = message.start.replace("SIP/2.0", version)
    return message


def twice(message: Message, name: str) -> Message:
    """The same message with one header given a second time."""
    message.headers.append((name, message.get(name)))
    return message


SRTP = description("127.0.0.1", 40000).replace("RTP/AVP", "RTP/SAVP")
VIDEO = description("127.0.0.1", 40000).replace("m=audio", "m=video")
NO_PORT = description("127.0.0.1", 0)
NAMED = description("127.0.0.1", 40000).replace("c=IN IP4 127.0.0.1", "c=IN IP4 phone.example.com")

REFUSED: list[tuple[str, Make, int, dict[str, str]]] = [
    ("no Call-ID", lambda wire: invite(wire, Call_ID=None), 400, {}),
    ("no CSeq", lambda wire: invite(wire, CSeq=None), 400, {}),
    ("no From", lambda wire: invite(wire, From=None), 400, {}),
    ("no To", lambda wire: invite(wire, To=None), 400, {}),
    ("CSeq of another method", lambda wire: invite(wire, CSeq="1 OPTIONS"), 400, {}),
    ("CSeq too large", lambda wire: invite(wire, CSeq="4294967296 INVITE"), 400, {}),
    ("CSeq no number", lambda wire: invite(wire, CSeq="one INVITE"), 400, {}),
    ("two Call-IDs", lambda wire: twice(invite(wire), "Call-ID"), 400, {}),
    ("two Froms", lambda wire: twice(invite(wire), "From"), 400, {}),
    ("negative Content-Length", lambda wire: invite(wire, Content_Length="-1"), 400, {}),
    ("Content-Length beyond the datagram", lambda wire: invite(wire, Content_Length="9999"), 400, {}),
    ("broken SDP", lambda wire: invite(wire, sdp="v=0\r\nm=audio none RTP/AVP 8\r\n"), 400, {}),
    ("another protocol version", lambda wire: with_version(invite(wire), "SIP/7.0"), 505, {}),
    ("REGISTER", lambda wire: request(wire, "REGISTER", ""), 405, {"Allow": "INVITE"}),
    ("SUBSCRIBE", lambda wire: request(wire, "SUBSCRIBE", Event="dialog"), 405, {"Allow": "INVITE"}),
    ("MESSAGE", lambda wire: request(wire, "MESSAGE"), 405, {"Allow": "INVITE"}),
    ("REFER", lambda wire: request(wire, "REFER", Refer_To="<sip:a@127.0.0.1>"), 405, {"Allow": "INVITE"}),
    ("a method nobody knows", lambda wire: request(wire, "SING"), 501, {"Allow": "INVITE"}),
    ("a scheme nobody knows", lambda wire: with_uri(invite(wire), "nobody:knows"), 416, {}),
    ("http in the Request-URI", lambda wire: with_uri(invite(wire), "http://127.0.0.1/"), 416, {}),
    (
        "an extension required",
        lambda wire: invite(wire, Require="nothing-known"),
        420,
        {"Unsupported": "nothing-known"},
    ),
    ("100rel required", lambda wire: invite(wire, Require="100rel"), 420, {"Unsupported": "100rel"}),
    (
        "a body of another type",
        lambda wire: invite(wire, Content_Type="text/plain"),
        415,
        {"Accept": "application/sdp"},
    ),
    ("a packed body", lambda wire: invite(wire, Content_Encoding="gzip"), 415, {"Accept-Encoding": "identity"}),
    ("an answer that may not be SDP", lambda wire: invite(wire, Accept="text/plain"), 406, {}),
    (
        "no codec in common",
        lambda wire: invite(wire, description(wire.host, 40000, formats="18")),
        488,
        {"Warning": "304"},
    ),
    ("encrypted media", lambda wire: invite(wire, SRTP), 488, {"Warning": "304"}),
    ("video alone", lambda wire: invite(wire, VIDEO), 488, {"Warning": "304"}),
    ("no stream wanted", lambda wire: invite(wire, NO_PORT), 488, {"Warning": "304"}),
    ("media to a name", lambda wire: invite(wire, NAMED), 488, {"Warning": "304"}),
    ("BYE of no dialog", lambda wire: request(wire, "BYE", To="<sip:survey@127.0.0.1>;tag=none"), 481, {}),
    ("INFO of no dialog", lambda wire: request(wire, "INFO", To="<sip:survey@127.0.0.1>;tag=none"), 481, {}),
    ("UPDATE of no dialog", lambda wire: request(wire, "UPDATE", To="<sip:survey@127.0.0.1>;tag=none"), 481, {}),
    ("re-INVITE of no dialog", lambda wire: invite(wire, To="<sip:survey@127.0.0.1>;tag=none"), 481, {}),
    ("CANCEL of nothing", lambda wire: request(wire, "CANCEL"), 481, {}),
]


@pytest.mark.parametrize(("make", "status", "carries"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_it_is_refused_with(wire: Wire, make: Make, status: int, carries: dict[str, str]) -> None:
    asked = make(wire)
    answer = wire.ask(asked)
    assert answer is not None, "no answer at all"
    assert answer.status == status, answer.start
    for name, word in carries.items():
        assert word in ", ".join(answer.all(name)), f"{name}: {answer.all(name)}"
    for name in ("Call-ID", "CSeq", "From"):
        assert answer.get(name) == asked.get(name), "what can be copied is copied verbatim (RFC 3261 8.2.6.2)"
    if asked.method == "INVITE":
        wire.send(acknowledge(asked, answer).serialize())
    control = wire.ask(request(wire, "OPTIONS"))
    assert control is not None
    assert control.status == 200


def test_a_405_and_options_name_every_method(wire: Wire) -> None:
    for method in ("OPTIONS", "REGISTER"):
        answer = wire.ask(request(wire, method))
        assert answer is not None
        assert {each.strip() for each in answer.get("Allow").split(",")} == ALLOWED


def test_options_says_what_can_be_had(wire: Wire) -> None:
    answer = wire.ask(request(wire, "OPTIONS"))
    assert answer is not None
    assert answer.status == 200
    assert "application/sdp" in answer.get("Accept")
    assert answer.to_tag


def test_a_refusal_of_an_invite_is_repeated_until_it_is_acknowledged(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    asked = phone.send_invite(sdp=phone.offer(formats="18"))
    first, second = phone.final(), phone.final(within=2)
    assert first.status == second.status == 488
    phone.wire.send(acknowledge(asked, second).serialize())
    assert phone.wire.receive(1.5) is None


def test_one_request_by_two_ways_is_a_merged_request(service: Service, pick_up: PickUp) -> None:
    phone = pick_up(service)
    first = phone.send_invite()
    answer = phone.final()
    other_way = [(name, value) for name, value in first.headers if name != "Via"]
    via = f"SIP/2.0/UDP {phone.wire.address};branch={unique('z9hG4bK')};rport"
    merged = Message(first.start, [("Via", via), *other_way], first.body)
    phone.wire.send(merged.serialize())
    refused = phone.expect(lambda message: message.status == 482, "482 Loop Detected")
    phone.wire.send(acknowledge(merged, refused).serialize())
    phone.established(answer)
    assert phone.hang_up().status == 200


def test_an_ack_or_a_response_for_nothing_is_met_with_silence(wire: Wire) -> None:
    wire.send(request(wire, "ACK", To="<sip:survey@127.0.0.1>;tag=none").serialize())
    stray = request(wire, "OPTIONS")
    stray.start = "SIP/2.0 200 OK"
    wire.send(stray.serialize())
    assert wire.receive(0.5) is None


@pytest.mark.parametrize("noise", [b"", b"\r\n\r\n", b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 8])
def test_noise_is_survived(wire: Wire, noise: bytes) -> None:
    wire.send(noise)
    control = request(wire, "OPTIONS")
    wire.send(control.serialize())
    answer = Message("")
    while answer.get("Call-ID") != control.get("Call-ID"):
        data = wire.receive(5)
        assert data is not None, "the control request is not answered"
        answer = Message.parse(data)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"unmatched": "refuse"}, 403),
        ({"sip_trunks": "192.0.2.0/24"}, 403),
        ({"sip_users": "12345 feedback"}, 404),
    ],
    ids=["a call without a token", "a source outside SIP_TRUNKS", "a user part outside SIP_USERS"],
)
def test_a_setting_refuses(
    launch: Callable[..., Service], pick_up: PickUp, settings: dict[str, str], status: int
) -> None:
    strict = launch("ivr", **settings)
    assert pick_up(strict).refused("survey").status == status


def test_only_the_users_of_the_setting_and_tokens_are_let_in(launch: Callable[..., Service], pick_up: PickUp) -> None:
    strict = launch("ivr", sip_users="12345")
    phone = pick_up(strict)
    phone.dial("12345")
    assert phone.hang_up().status == 200
    assert pick_up(strict).refused("54321").status == 404
    token = pick_up(strict)
    token.dial("pj" + "a" * 72)
    assert token.hang_up().status == 200


def test_a_stranger_may_be_met_with_silence(launch: Callable[..., Service]) -> None:
    strict = launch("ivr", sip_trunks="127.0.0.1/32", sip_strangers="silence")
    stranger = Wire(strict.host, strict.port, source="127.0.0.9")
    friend = Wire(strict.host, strict.port)
    assert stranger.ask(request(stranger, "OPTIONS"), within=1) is None
    answer = friend.ask(request(friend, "OPTIONS"))
    assert answer is not None
    assert answer.status == 200
    stranger.close()
    friend.close()


def test_a_full_node_says_when_to_try_again_and_takes_the_next_call(
    launch: Callable[..., Service], pick_up: PickUp
) -> None:
    small = launch("ivr", max_calls=1)
    first, second = pick_up(small), pick_up(small)
    first.dial()
    refused = second.refused()
    assert refused.status in {486, 503}
    assert refused.get("Retry-After").partition(" ")[0].isdigit()
    assert first.hang_up().status == 200

    def accepted() -> bool:
        third = pick_up(small)
        third.send_invite()
        answer = third.final()
        if answer.status != 200:
            third.wire.send(acknowledge(third.invite, answer).serialize())
            return False
        third.established(answer)
        return third.hang_up().status == 200

    until(accepted, "the freed place")
