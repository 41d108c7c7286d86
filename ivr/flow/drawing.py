"""Draws a flow as a diagram (Mermaid or Graphviz text) and the engine's table as Markdown."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from ivr.flow.engine import TRANSITIONS, Trigger
from ivr.flow.events import Timer
from ivr.flow.model import Branch, Close, Flow, Menu, Node, Question, Recording, Say
from ivr.flow.situation import State

_MERMAID_SHAPES: Final = {
    Question: ('["', '"]'),
    Menu: ('["', '"]'),
    Say: ('("', '")'),
    Recording: ('[/"', '"/]'),
    Branch: ('{"', '"}'),
    Close: ('(["', '"])'),
}
_DOT_SHAPES: Final = {
    Question: "box",
    Menu: "box",
    Say: "box, style=rounded",
    Recording: "parallelogram",
    Branch: "diamond",
    Close: "oval",
}


def mermaid(flow: Flow) -> str:
    """Draw a flow as a Mermaid flowchart, which repositories and wikis show as a picture."""
    lines = ["flowchart TD", f'    call(("call")) --> {flow.start}']
    for name, node in flow.nodes.items():
        opening, closing = _MERMAID_SHAPES[type(node)]
        lines.append(f"    {name}{opening}{_label(name, node, '<br>')}{closing}")
        lines += [f'    {name} -->|"{label}"| {target}' for target, label in _ways(node)]
    return "\n".join(lines) + "\n"


def dot(flow: Flow) -> str:
    """Draw a flow in Graphviz's language, for `dot -Tsvg`."""
    lines = [f'digraph "{flow.name}" {{', "    node [fontname=sans]; edge [fontname=sans, fontsize=10];"]
    lines += ["    call [shape=circle];", f"    call -> {flow.start};"]
    for name, node in flow.nodes.items():
        lines.append(f'    {name} [shape={_DOT_SHAPES[type(node)]}, label="{_label(name, node, chr(92) + "n")}"];')
        lines += [f'    {name} -> {target} [label="{label}"];' for target, label in _ways(node)]
    return "\n".join([*lines, "}"]) + "\n"


def table() -> str:
    """Write the engine's table as Markdown: by state, what it reacts to, and the move that does it."""
    rows: dict[State, list[str]] = {state: [] for state in State}
    for (state, trigger), move in TRANSITIONS.items():
        rows[state].append(f"{_trigger(trigger)} → `{move.__module__.rsplit('.', 1)[1]}.{move.__name__}`")
    head = ["| state | event → move |", "|---|---|"]
    return "\n".join([*head, *(f"| {state.value} | {'<br>'.join(moves) or '–'} |" for state, moves in rows.items())])


def _trigger(trigger: Trigger) -> str:
    return f"timer {trigger.value}" if isinstance(trigger, Timer) else trigger.__name__


def _label(name: str, node: Node, new_line: str) -> str:
    match node:
        case Question(question=question, collect=collect):
            return f"{name}{new_line}asks {question}, {_times(len(collect.tries))}"
        case Menu(collect=collect):
            return f"{name}{new_line}menu, {_times(len(collect.tries))}"
        case Say(prompts=prompts):
            return f"{name}{new_line}says {' + '.join(prompts)}"
        case Recording(question=question, maximum_seconds=seconds):
            return f"{name}{new_line}records {question}, at most {seconds:g} s"
        case Branch(on=on):
            return f"{on}?"
        case Close(outcome=outcome):
            return f"{name}{new_line}end: {outcome}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _ways(node: Node) -> Iterator[tuple[str, str]]:
    """Yield each target once, with everything that leads there."""
    labels: dict[str, list[str]] = defaultdict(list)
    for target, label in _single_ways(node):
        labels[target].append(label)
    yield from ((target, ", ".join(together)) for target, together in labels.items())


def _single_ways(node: Node) -> Iterator[tuple[str, str]]:
    match node:
        case Question(keys=keys, collect=collect, next=following):
            yield from ((following, f"{key} {answer}") for key, answer in keys.items())
            yield from ((collect.noinput, "silence"), (collect.nomatch.next, "wrong keys"))
        case Menu(keys=keys, collect=collect):
            yield from ((choice.next, f"{key} {choice.language or ''}".strip()) for key, choice in keys.items())
            yield from ((collect.noinput, "silence"), (collect.nomatch.next, "wrong keys"))
        case Say(next=following) | Recording(next=following):
            yield following, "then"
        case Branch(cases=cases, otherwise=otherwise):
            yield from ((target, value) for value, target in cases.items())
            yield otherwise, "otherwise"
        case Close():
            pass
