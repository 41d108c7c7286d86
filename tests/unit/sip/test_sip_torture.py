"""RFC 4475 and RFC 5118, every vector, judged by the corpora's EXPECTED.tsv."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sip_caller import Gateway, Scene, request, sent, statuses

from ivr.sip.message import Response

CORPORA = Path(__file__).resolve().parents[3].parent / "shared" / "corpora"
EXPECTED_FAILURES: frozenset[str] = frozenset()


def _vectors() -> list[tuple[str, str, str]]:
    rows = []
    for corpus in ("rfc4475", "rfc5118"):
        table = CORPORA / corpus / "EXPECTED.tsv"
        if table.exists():
            with table.open(encoding="utf-8", newline="") as lines:
                reader = csv.DictReader(lines, delimiter="\t")
                rows += [(corpus, row["file"], row["accept_from_ivr_uas_over_udp"]) for row in reader]
    return rows


VECTORS = _vectors()
_parameters = [
    pytest.param(*vector, id=vector[1], marks=[pytest.mark.xfail(strict=True)] * (vector[1] in EXPECTED_FAILURES))
    for vector in VECTORS
]


def _fits(status: int, patterns: list[str]) -> bool:
    return any(pattern == str(status) or pattern == f"{status // 100}xx" for pattern in patterns)


def _control(scene: Scene, name: str) -> None:
    """Silence proves nothing from a server that no longer answers."""
    effects = scene.receive(request("OPTIONS", branch=f"z9hG4bKcontrol{name}", call_id=name))
    assert statuses(effects) == [200]


@pytest.mark.skipif(VECTORS == [], reason="the torture corpora are not beside the repository (../shared/corpora)")
def test_all_vectors_of_both_documents_are_there() -> None:
    assert len(VECTORS) == 61


@pytest.mark.parametrize(("corpus", "name", "expected"), _parameters)
def test_a_torture_message_is_answered_as_its_rfc_says(corpus: str, name: str, expected: str) -> None:
    scene = Scene()
    _control(scene, "before")
    answers = statuses(Gateway(scene).receive((CORPORA / corpus / name).read_bytes()))
    if expected == "DROP":
        assert answers == []
    else:
        assert answers
        assert all(_fits(status, expected.split(",")) for status in answers)
    _control(scene, "after")


@pytest.mark.skipif(VECTORS == [], reason="the torture corpora are not beside the repository (../shared/corpora)")
def test_an_unknown_required_extension_is_named_in_unsupported() -> None:
    (answer,) = sent(Scene().receive((CORPORA / "rfc4475" / "bext01.dat").read_bytes()))
    assert isinstance(answer, Response)
    assert answer.elements("unsupported") == ["nothingSupportsThis", "nothingSupportsThisEither"]


@pytest.mark.skipif(VECTORS == [], reason="the torture corpora are not beside the repository (../shared/corpora)")
def test_two_requests_in_one_datagram_get_one_answer() -> None:
    assert len(sent(Gateway(Scene()).receive((CORPORA / "rfc4475" / "dblreq.dat").read_bytes()))) == 1
