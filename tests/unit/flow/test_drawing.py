"""Pictures and outlines say what the flow says, and the README shows the pictures of today's flows."""

import re
from pathlib import Path

import pytest

from ivr.flow.drawing import dot, mermaid, table
from ivr.flow.engine import TRANSITIONS
from ivr.flow.loader import load
from ivr.flow.model import OUTCOMES, Flow, targets_of
from ivr.flow.outline import outline
from ivr.flow.situation import State

README = Path(__file__).parents[3] / "callflows" / "README.md"


def test_the_readme_shows_the_flows_and_the_table_as_they_are(shipped: Flow, extended: Flow) -> None:
    text = README.read_text(encoding="utf-8")
    assert re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL) == [mermaid(shipped), mermaid(extended)]
    assert table() in text


def test_the_readme_names_every_outcome_in_order() -> None:
    assert f"Outcomes: `{' '.join(OUTCOMES)}`" in README.read_text(encoding="utf-8")


def test_the_examples_of_the_readme_are_flows(shipped_text: str) -> None:
    """Each example node stands in a flow with the nodes it names."""
    nodes = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    head = shipped_text.partition("nodes:\n")[0].replace("start: grade", "start: welcome")
    rest = "call_back: {say: goodbye, next: invalid}\nsilent: {end: silent}\ninvalid: {end: invalid}\n"
    body = re.sub(r"^(?=.)", "  ", "".join(nodes) + rest, flags=re.MULTILINE)
    flow = load(None, head + "nodes:\n" + body)
    assert {"grade", "choose_language", "comment", "how_was_it", "welcome", "thanks"} <= flow.nodes.keys()


def test_the_table_has_a_row_for_every_state_and_a_move_for_every_entry() -> None:
    rows = table().splitlines()[2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [state.value for state in State]
    assert sum(row.count("→") for row in rows) == len(TRANSITIONS)


@pytest.mark.parametrize("draw", [mermaid, dot])
def test_every_way_of_a_flow_is_drawn(extended: Flow, draw: object) -> None:
    assert callable(draw)
    drawn = draw(extended)
    arrow = re.compile(r'(\w+) --?>(?:\|"[^"]*"\|)? ?(\w+)')
    ways = {(a, b) for a, b in arrow.findall(drawn) if a != "call"}
    assert ways == {(name, target) for name, node in extended.nodes.items() for target in targets_of(node)}


def test_an_outline_names_every_key_try_and_outcome(extended: Flow) -> None:
    text = "\n".join(outline(extended))
    for words in ("key 5: very_dissatisfied", "key 2: speak en, go to grade", "try 3: ask_slowly, then 8 s of silence",
                  "the 3. goes to invalid", "2 times at most", "if grade is dissatisfied: comment",
                  "records `comment`, at most 60 s", "ends: rated", "ends: silent", "ends: invalid"):  # fmt: skip
        assert words in text
