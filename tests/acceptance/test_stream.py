"""SIP over TCP: messages are found in the stream however it is cut, and a stream that cannot be cut is closed."""

import pytest
from outside.service import Service
from outside.sip_client import Message, Wire, request


@pytest.fixture
def wire(service: Service) -> Wire:
    """A connection of this test's own."""
    made = Wire(service.host, service.port, "tcp")
    yield made
    made.close()


def test_two_messages_in_one_piece_are_two(wire: Wire) -> None:
    both = [request(wire, "OPTIONS") for _ in range(2)]
    wire.send(b"".join(each.serialize() for each in both))
    answers = [Message.parse(wire.receive() or b"") for _ in both]
    assert [answer.get("Call-ID") for answer in answers] == [each.get("Call-ID") for each in both]
    assert {answer.status for answer in answers} == {200}


def test_one_message_in_many_pieces_is_one(wire: Wire) -> None:
    whole = request(wire, "OPTIONS", Content_Type="text/plain").serialize()
    for octet in whole[:-1]:
        wire.send(bytes((octet,)))
    assert wire.receive(0.2) is None
    wire.send(whole[-1:])
    assert Message.parse(wire.receive() or b"").status == 200


def test_a_keep_alive_is_answered(wire: Wire) -> None:
    """RFC 5626 3.5.1: a double line end is a ping, a single one the pong."""
    wire.send(b"\r\n\r\n")
    wire.sock.settimeout(5)
    assert wire.sock.recv(16) == b"\r\n"


@pytest.mark.parametrize("length", [None, "-1", "none", "99999999999"])
def test_a_stream_whose_next_message_cannot_be_found_is_closed(wire: Wire, length: str | None) -> None:
    broken = request(wire, "OPTIONS", Content_Length=length)
    data = broken.serialize() if length else _without_length(broken)
    wire.send(data)
    answer = wire.receive(5)
    assert answer is None or Message.parse(answer).status == 400
    assert wire.closed(15)


def _without_length(message: Message) -> bytes:
    return message.serialize().replace(b"Content-Length: 0\r\n", b"")


def test_noise_closes_the_stream_and_nothing_else(service: Service, wire: Wire) -> None:
    wire.send(b"\x16\x03\x01 this is no SIP at all \r\n\r\n" + bytes(range(256)))
    assert wire.closed(15)
    other = Wire(service.host, service.port, "tcp")
    answer = other.ask(request(other, "OPTIONS"))
    assert answer is not None
    assert answer.status == 200
    other.close()
