"""Whole calls recorded as files: what a change to the engine or a flow changes for a caller shows as a diff.

`pytest --rewrite-vectors` records them anew.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ivr.flow.conversation import lines
from ivr.flow.loader import load
from ivr.flow.model import OUTCOMES
from ivr.flow.script import parse
from ivr.flow.simulator import play

VECTORS = Path(__file__).parents[2] / "vectors" / "flow"
CALLFLOWS = Path(__file__).parents[3] / "callflows"
FILES = sorted(VECTORS.glob("*.txt"))
RULE = "---\n"


def _head(text: str) -> tuple[str, dict[str, str]]:
    """The part above the rule: a sentence, then `name: value` lines."""
    head = text.partition(RULE)[0]
    fields = dict(line.split(":", 1) for line in head.splitlines() if not line.startswith("#"))
    return head, {name: value.strip() for name, value in fields.items()}


def _played(fields: Mapping[str, str], durations: Mapping[tuple[str, str], float]) -> Iterator[str]:
    path = next(path for folder in (CALLFLOWS, VECTORS) if (path := folder / fields["flow"]).exists())
    flow = load(path, path.read_text(encoding="utf-8"))
    missing = fields.get("missing", "").split()
    known = {key: seconds for key, seconds in durations.items() if key[1] not in missing}
    yield from lines(play(flow, known, parse(fields["script"]), fields.get("language")))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recorded_conversation_is_repeated_word_for_word(
    file: Path, durations: Mapping[tuple[str, str], float], request: pytest.FixtureRequest
) -> None:
    text = file.read_text(encoding="utf-8")
    head, fields = _head(text)
    played = head + RULE + "\n".join(_played(fields, durations)) + "\n"
    if request.config.getoption("--rewrite-vectors", default=False):
        file.write_text(played, encoding="utf-8")
    assert played == file.read_text(encoding="utf-8"), "if the change is wanted: pytest --rewrite-vectors"


def test_the_conversations_show_every_outcome_a_flow_of_ours_can_have() -> None:
    shown = {file.read_text(encoding="utf-8").rsplit("end: ", 1)[1].strip() for file in FILES}
    assert shown == {"rated", "silent", "invalid", "hung_up", "error"}
    assert shown <= set(OUTCOMES)
