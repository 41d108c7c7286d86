"""RFC 4475 and RFC 5118 over real sockets: every message is answered as its RFC says, and the service lives on."""

import time
from collections.abc import Iterator

import pytest
from outside.service import Service
from outside.sip_client import Message, Wire, request
from outside.torture import ALL, CORPORA, PARAMETERS, VECTORS, Vector, needed

PATIENCE_SECONDS = 0.3


@pytest.fixture(scope="module")
def tortured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A node for this alone: some messages ring and never acknowledge."""
    made = Service(tmp_path_factory.mktemp("tortured"), "ivr", drain_seconds=0)
    try:
        yield made.start()
        assert made.stop() == 0
        assert "Traceback" not in made.text(), made.text()
    finally:
        made.kill()


def answers(wire: Wire, data: bytes) -> list[int]:
    """Every status that comes back within a while."""
    wire.send(data)
    statuses = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := deadline - time.monotonic()) > 0 and (received := wire.receive(left)) is not None:
        statuses.append(Message.parse(received).status)
    return statuses


def control(service: Service) -> None:
    """Silence proves nothing from a server that no longer answers."""
    wire = Wire(service.host, service.port)
    answer = wire.ask(request(wire, "OPTIONS"))
    wire.close()
    assert answer is not None
    assert answer.status == 200


@needed
def test_all_of_both_documents_are_there() -> None:
    assert len(VECTORS) == ALL


@needed
@pytest.mark.parametrize("vector", PARAMETERS)
def test_a_message_is_answered_as_its_rfc_says(tortured: Service, vector: Vector) -> None:
    control(tortured)
    wire = Wire(tortured.host, tortured.port)
    came = answers(wire, vector.path.read_bytes())
    wire.close()
    assert vector.fits(came), f"{came}, not {vector.accepted or 'silence'}"
    control(tortured)


@needed
@pytest.mark.parametrize("name", ["ncl.dat", "mcl01.dat"])
def test_a_length_that_cannot_be_trusted_closes_the_stream(tortured: Service, name: str) -> None:
    wire = Wire(tortured.host, tortured.port, "tcp")
    assert set(answers(wire, (CORPORA / "rfc4475" / name).read_bytes())) <= {400}
    assert wire.closed(5)
    wire.close()


@needed
def test_a_stream_that_promises_more_than_it_sends_is_closed_unanswered(tortured: Service) -> None:
    wire = Wire(tortured.host, tortured.port, "tcp")
    assert answers(wire, (CORPORA / "rfc4475" / "clerr.dat").read_bytes()) == []
    assert wire.closed(20), "it waits for the rest for ever"
    wire.close()
