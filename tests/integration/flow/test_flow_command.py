"""`flow` as it is typed: what is printed, and the exit code."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import main
from ivr.commands.flow_terminal import Terminal
from ivr.flow.loader import load
from ivr.flow.simulator import Simulation
from prompts.catalogue import Catalogue

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "callflows" / "post_call_survey.yaml"
EXTENDED = ROOT / "callflows" / "extended_survey.yaml"


def flow(*arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["flow", *map(str, arguments)], input=typed)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    path.write_text(text.replace("next: thanks", "next: thank").replace("end: silent", "end: slient"))
    return path


@pytest.mark.parametrize("file", [SHIPPED, EXTENDED], ids=lambda file: file.stem)
def test_the_flows_here_are_proved_with_the_recordings_here(file: Path) -> None:
    result = flow("check", file)
    assert result.exit_code == 0, result.output
    assert re.search(rf"{file.stem} \d+\+[0-9a-f]{{12}} holds", result.output)
    assert re.search(r"\d{4} states, \d{5} transitions explored", result.output)
    assert re.search(r"longest call: \d{3}\.\d s \(at most \d{3} s\)", result.output)


def test_a_good_call_in_mandarin_takes_at_most_25_seconds() -> None:
    known = Catalogue.load(ROOT / "prompts").durations()
    heard = sum(known["zh-CN", prompt] for prompt in ("ask", "heard", "grade_very_dissatisfied", "change", "thanks"))
    assert heard + 2 <= 25


def test_mistakes_are_all_listed_with_their_places(broken: Path) -> None:
    result = flow("check", broken)
    assert result.exit_code == 1
    assert [line.split(": ", 1)[0].rsplit(":", 2)[0] for line in result.output.splitlines()] == [str(broken)] * 2
    assert "did you mean `thanks`?" in result.output
    assert "did you mean `silent`?" in result.output


def test_a_finding_is_told_as_a_conversation(tmp_path: Path) -> None:
    path = tmp_path / "invents.yaml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace("noinput: silent", "noinput: thanks"))
    result = flow("check", path)
    assert result.exit_code == 1
    assert "a call in which nobody rated ends as `rated`" in result.output
    assert "> timer 3 noinput fired" in result.output
    assert "does not hold" in result.output


@pytest.mark.parametrize("command", ["check", "show", "simulate", "draw"])
def test_a_file_that_is_not_there_is_one_clear_line(command: str, tmp_path: Path) -> None:
    result = flow(command, tmp_path / "no.yaml")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].endswith("no.yaml: cannot be read (No such file or directory)")


@pytest.mark.parametrize("command", ["show", "simulate", "draw"])
def test_a_flow_with_mistakes_is_not_shown_played_or_drawn(command: str, broken: Path) -> None:
    result = flow(command, broken)
    assert result.exit_code == 2
    assert "and 1 more; `flow check` lists them" in result.stderr
    assert "Traceback" not in result.output


def test_a_flow_that_is_not_text_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert flow("check", path).exit_code == 2


def test_a_script_is_played_with_what_is_heard_and_how_it_ends() -> None:
    result = flow("simulate", SHIPPED, "--script", "!2")
    assert result.exit_code == 0, result.output
    text = Catalogue.load(ROOT / "prompts").text("zh-CN", "ask")
    assert text in result.output
    assert "caller   presses 2" in result.output
    assert "outcome: rated" in result.output
    assert "grade = satisfied (key 2)" in result.output


def test_silence_is_played_to_its_outcome() -> None:
    result = flow("simulate", SHIPPED, "--silence", "--language", "en")
    assert "outcome: silent" in result.output
    assert result.output.count("is silent") == 3


def test_keys_are_typed_when_it_is_the_callers_turn() -> None:
    result = flow("simulate", SHIPPED, typed="\n9\nnonsense\n3\n*\n4\n\n")
    assert result.exit_code == 0, result.output
    assert "cannot be read" in result.output
    assert "grade = dissatisfied (key 4)" in result.output
    assert "the question put 3 times" in result.output


def test_the_end_of_the_typing_is_a_hang_up() -> None:
    assert "outcome: hung_up" in flow("simulate", SHIPPED, typed="").output


def test_what_comes_after_the_end_is_said_to_be_unused() -> None:
    assert "(2 more of the script came after the end)" in flow("simulate", SHIPPED, "--script", "h12").output


def test_a_script_that_cannot_be_read_is_one_clear_line() -> None:
    result = flow("simulate", SHIPPED, "--script", "2?")
    assert result.exit_code == 2
    assert "cannot be read from character 2 on" in result.stderr


def test_a_trace_shows_events_and_actions() -> None:
    result = flow("simulate", SHIPPED, "--script", "!2", "--trace")
    assert "store 2 grade = satisfied (key 2)" in result.output


def test_real_time_is_slept_through_happening_by_happening() -> None:
    loaded, catalogue = load(SHIPPED, SHIPPED.read_text(encoding="utf-8")), Catalogue.load(ROOT / "prompts")
    slept: list[float] = []
    simulation = Simulation(loaded, catalogue.durations())
    terminal = Terminal(catalogue, slept.append, trace=True)
    terminal.tell(simulation.answer(None))
    terminal.tell(simulation.to_the_end())
    assert sum(slept) == pytest.approx(simulation.now)
    assert simulation.engine.outcome == "silent"


def test_an_extended_call_is_played() -> None:
    result = flow("simulate", EXTENDED, "--language", "zh-CN", "--script", "!5-2r12#1")
    assert "comment = recording" in result.output
    assert "call_back = yes (key 1)" in result.output


def test_show_outlines_and_proves() -> None:
    result = flow("show", SHIPPED)
    assert result.exit_code == 0
    assert "key 3: basically_satisfied" in result.output
    assert "holds" in result.output


def test_draw_writes_mermaid_or_graphviz(tmp_path: Path) -> None:
    assert flow("draw", SHIPPED).output.startswith("flowchart TD\n")
    target = tmp_path / "flow.dot"
    assert flow("draw", SHIPPED, "--format", "dot", "--output", target).exit_code == 0
    assert target.read_text(encoding="utf-8").startswith('digraph "post_call_survey"')
    assert flow("draw", SHIPPED, "--output", tmp_path / "no" / "flow.dot").exit_code == 2


def test_svg_without_graphviz_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    result = flow("draw", SHIPPED, "--format", "svg")
    assert result.exit_code == 2
    assert "install the package graphviz" in result.stderr
