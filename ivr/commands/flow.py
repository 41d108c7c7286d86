"""`flow check|show|simulate|draw FILE`: what a flow's author needs before the flow meets a caller.

Exit codes: 0 good, 1 something was found, 2 the file (or the command line) cannot be used.
"""

import shutil
import subprocess
import time
from pathlib import Path

import click

import settings
from ivr.commands.flow_terminal import Terminal
from ivr.flow.checks import Proof
from ivr.flow.checks import check as prove
from ivr.flow.conversation import lines
from ivr.flow.drawing import dot, mermaid
from ivr.flow.loader import FlowMistakes, load
from ivr.flow.model import Flow
from ivr.flow.outline import outline
from ivr.flow.script import ScriptMistake, parse
from ivr.flow.simulator import Simulation
from prompts.catalogue import Catalogue, PromptError
from store.grade import Grade

FILE = click.argument("file", type=click.Path(path_type=Path))
PROMPTS = click.option(
    "--prompts", type=click.Path(path_type=Path), help="Folder with catalogue.yaml; default: the setting PROMPTS."
)


@click.group()
def flow() -> None:
    """Check, show, simulate and draw call flows."""


@flow.command()
@FILE
@PROMPTS
def check(file: Path, prompts: Path | None) -> None:
    """Prove a flow: every key, silence, hang-up and fault ends, in time, in one outcome.

    Prints all mistakes, or each finding with a conversation that shows it (exit 1), or what was proved.
    """
    text = _read(file)
    try:
        loaded = load(file, text)
    except FlowMistakes as mistakes:
        click.echo(str(mistakes))
        raise SystemExit(1) from None
    proof = _prove(loaded, _catalogue(prompts))
    for finding in proof.findings:
        click.echo(f"{file}: {finding.message}")
        for line in lines(finding.conversation):
            click.echo(f"    {line}")
    click.echo("\n".join(_summary(loaded, proof)))
    raise SystemExit(0 if proof.holds else 1)


@flow.command()
@FILE
@PROMPTS
def show(file: Path, prompts: Path | None) -> None:
    """Write a flow as an outline, with what the proof says of it."""
    loaded = _load(file)
    click.echo("\n".join(outline(loaded)))
    proof = _prove(loaded, _catalogue(prompts))
    click.echo("")
    click.echo("\n".join([*_summary(loaded, proof), *(f"  found: {finding.message}" for finding in proof.findings)]))


@flow.command()
@FILE
@PROMPTS
@click.option("--script", help="What the caller does, for example `2`, `!2`, `--3*4`, `-h`.")
@click.option("--silence", is_flag=True, help="The caller never presses anything.")
@click.option("--language", help="The language the contact names; default: none.")
@click.option("--real-time", is_flag=True, help="Take as long as a call does.")
@click.option("--trace", is_flag=True, help="Print every event and action instead of what is heard.")
def simulate(
    file: Path,
    prompts: Path | None,
    *,
    script: str | None,
    silence: bool,
    language: str | None,
    real_time: bool,
    trace: bool,
) -> None:
    """Play a flow in the terminal, in no time. Type keys; Enter alone is silence.

    \b
    What can be typed, and written in a script:
      0-9 * # A-D   press this key when the service has finished speaking
      !             before a key: press it at once, into the prompt
      =             press the last key again within a moment
      -             keep silent until the patience of the service runs out once
      h             hang up
      x             the prompt now playing fails
      f             the journal refuses the next answer
      r, r12        speak for 5, for 12 seconds into a recording
    At the end of a script the caller keeps silent.
    """
    loaded, catalogue = _load(file), _catalogue(prompts)
    simulation = Simulation(loaded, catalogue.durations(), settings.load().language)
    terminal = Terminal(catalogue, time.sleep if real_time else None, trace=trace)
    try:
        tokens = parse(script or "")
    except ScriptMistake as mistake:
        raise click.UsageError(str(mistake)) from mistake
    terminal.tell(simulation.answer(language))
    if script is None and not silence:
        terminal.converse(simulation)
    for place, token in enumerate(tokens):
        if simulation.ended:
            click.echo(f"({len(tokens) - place} more of the script came after the end)")
            break
        terminal.tell(simulation.act(token))
    terminal.tell(simulation.to_the_end())
    terminal.conclude(simulation)


@flow.command()
@FILE
@click.option("--format", "form", type=click.Choice(["mermaid", "dot", "svg"]), default="mermaid", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write here instead of the terminal.")
def draw(file: Path, form: str, output: Path | None) -> None:
    """Draw a flow as Mermaid or Graphviz text, or as SVG where Graphviz is installed."""
    loaded = _load(file)
    drawn = mermaid(loaded) if form == "mermaid" else dot(loaded)
    if form == "svg":
        drawn = _svg(drawn)
    if output is None:
        click.echo(drawn, nl=False)
        return
    try:
        output.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{output}: cannot be written ({error.strerror})") from error


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file}: is not UTF-8 text") from error


def _load(file: Path) -> Flow:
    try:
        return load(file, _read(file))
    except FlowMistakes as mistakes:
        count = len(mistakes.mistakes)
        more = f" (and {count - 1} more; `flow check` lists them)" if count > 1 else ""
        raise click.UsageError(f"{mistakes.mistakes[0]}{more}") from mistakes


def _catalogue(folder: Path | None) -> Catalogue:
    try:
        return Catalogue.load(folder or settings.load().prompts)
    except PromptError as error:
        raise click.UsageError(str(error)) from error


def _prove(loaded: Flow, catalogue: Catalogue) -> Proof:
    return prove(loaded, catalogue.durations(), {loaded.rates: [grade.value for grade in Grade]})


def _summary(loaded: Flow, proof: Proof) -> list[str]:
    longest = "no bound" if proof.longest_seconds is None else f"{proof.longest_seconds:.1f} s"
    good = ", ".join(f"{seconds:.1f} s in {language}" for language, seconds in proof.good_call_seconds.items())
    verdict = "holds" if proof.holds else f"does not hold: {len(proof.findings)} found"
    return [
        f"{loaded.name} {loaded.version} {verdict}",
        f"  {proof.states} states, {proof.transitions} transitions explored",
        f"  outcomes: {', '.join(proof.outcomes)}",
        f"  longest call: {longest} (at most {loaded.maximum_seconds:g} s)",
        *([f"  good call: {good}"] if good else []),
    ]


def _svg(drawn: str) -> str:
    if shutil.which("dot") is None:
        raise click.UsageError("SVG needs Graphviz's `dot`: install the package graphviz, or take --format mermaid")
    done = subprocess.run(["dot", "-Tsvg"], input=drawn, capture_output=True, text=True, check=True)
    return done.stdout
