"""RFC 4475 and RFC 5118, every vector, judged by the corpora's EXPECTED.tsv."""

from __future__ import annotations

import pytest
from outside.torture import ALL, CORPORA, PARAMETERS, VECTORS, Vector, needed
from sip_caller import Gateway, Scene, request, sent, statuses

from ivr.sip.message import Response


def _control(scene: Scene, name: str) -> None:
    """Silence proves nothing from a server that no longer answers."""
    effects = scene.receive(request("OPTIONS", branch=f"z9hG4bKcontrol{name}", call_id=name))
    assert statuses(effects) == [200]


@needed
def test_all_vectors_of_both_documents_are_there() -> None:
    assert len(VECTORS) == ALL


@needed
@pytest.mark.parametrize("vector", PARAMETERS)
def test_a_torture_message_is_answered_as_its_rfc_says(vector: Vector) -> None:
    scene = Scene()
    _control(scene, "before")
    answers = statuses(Gateway(scene).receive(vector.path.read_bytes()))
    assert vector.fits(answers), answers
    _control(scene, "after")


@needed
def test_an_unknown_required_extension_is_named_in_unsupported() -> None:
    (answer,) = sent(Scene().receive((CORPORA / "rfc4475" / "bext01.dat").read_bytes()))
    assert isinstance(answer, Response)
    assert answer.elements("unsupported") == ["nothingSupportsThis", "nothingSupportsThisEither"]


@needed
def test_two_requests_in_one_datagram_get_one_answer() -> None:
    assert len(sent(Gateway(Scene()).receive((CORPORA / "rfc4475" / "dblreq.dat").read_bytes()))) == 1
