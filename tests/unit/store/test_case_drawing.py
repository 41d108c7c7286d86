"""The document tells what the program does: its diagram and its table are the program's."""

import re
from pathlib import Path

import pytest

from store.case import Act, State
from store.case_drawing import diagram, table

DOCUMENT = (Path(__file__).parents[3] / "docs" / "cases.md").read_text("utf-8")


def between(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n(.*?)<!-- end -->", DOCUMENT, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(("mark", "drawn"), [("diagram", f"```mermaid\n{diagram()}```\n"), ("table", table())])
def test_the_document_shows_what_is_drawn_from_the_transitions(mark: str, drawn: str) -> None:
    assert between(mark) == drawn


def test_every_state_and_every_act_is_shown() -> None:
    assert all(str(state) in diagram() for state in State)
    assert all(f"`{act}`" in table() for act in Act if act is not Act.OPEN)
    assert str(Act.OPEN) in diagram()
