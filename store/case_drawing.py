"""The case as a diagram (Mermaid) and as a table (Markdown). Rule: drawn from the transitions, never by hand."""

from collections import defaultdict

from store.case import Act, State
from store.case_transitions import TRANSITIONS, Move


def diagram() -> str:
    """Draw the states and the acts that lead from one to another; acts that leave the state stand in the table."""
    arrows: dict[tuple[State, State], list[Act]] = defaultdict(list)
    for (state, act), move in TRANSITIONS.items():
        if move.to is not None:
            arrows[state, move.to].append(act)
    lines = ["stateDiagram-v2", f"    [*] --> {State.RECEIVED}: {Act.OPEN}"]
    lines += [f"    {state} --> {to}: {', '.join(acts)}" for (state, to), acts in arrows.items()]
    return "\n".join([*lines, f"    {State.CLOSED} --> [*]"]) + "\n"


def table() -> str:
    """Write every act: in which states, to which state, by whom, and what it needs."""
    rows: dict[tuple[Act, Move], list[State]] = defaultdict(list)
    for (state, act), move in TRANSITIONS.items():
        rows[act, move].append(state)
    head = ["| act | in | leads to | by | needs |", "|---|---|---|---|---|"]
    ordered = sorted(rows.items(), key=lambda row: list(Act).index(row[0][0]))
    return "\n".join([*head, *(_row(act, move, states) for (act, move), states in ordered)]) + "\n"


def _row(act: Act, move: Move, states: list[State]) -> str:
    places = "any state" if len(states) == len(State) else ", ".join(states)
    roles, needs = ", ".join(sorted(move.roles)), ", ".join(sorted(move.needs)) or "–"
    return f"| `{act}` | {places} | {move.to or '–'} | {roles} | {needs} |"
