"""What of a call can still matter: the proof visits calls that differ in nothing else only once."""

from collections.abc import Hashable, Mapping
from typing import Final

from ivr.flow.engine import Engine
from ivr.flow.model import Branch, Flow, keys_of, targets_of
from ivr.flow.situation import State

_OVER: Final = frozenset({State.APOLOGISING, State.LEAVING, State.ENDED})  # no branch is met from here


class Meaning:
    """Which keys and answers mean something at which node of one flow."""

    def __init__(self, flow: Flow) -> None:
        """Look once over the flow."""
        self._rates = flow.rates
        self._keys = keys_of(flow)
        self._ahead = _branches_ahead(flow)

    def snapshot(self, engine: Engine) -> Hashable:
        """Describe a call so that calls with equal snapshots go on alike for ever after.

        Attempts are names and left out. Of answers only that the rating stands is kept, and where they will lead at
        the branches ahead. Keys that mean nothing anywhere in the flow are written `?`: they can only be told apart
        from each other.
        """
        at, turn = engine.situation, engine.situation.turn
        ahead = () if at.state in _OVER else self._ahead.get(at.node, ())
        return (
            (at.state, at.node, at.language, at.playing, at.stopping, at.running, at.pending),
            (turn.tries, turn.wrong, turn.replays, turn.changes, turn.changing, turn.scolded, turn.heard),
            (self._meant(turn.digits), self._meant(turn.guard)),
            tuple(engine.way(branch) for branch in ahead),
            (self._rates in engine.answers, engine.outcome),
        )

    def _meant(self, digits: str) -> str:
        """Write digits that begin no key as `?`, but for the last if it means something by itself."""
        if not digits or any(key.startswith(digits) for key in self._keys):
            return digits
        last = digits[-1] if any(digits[-1] in key for key in self._keys) else "?"
        return "?" * (len(digits) - 1) + last


def _branches_ahead(flow: Flow) -> Mapping[str, tuple[Branch, ...]]:
    """For each node the branches that a call at it can still meet."""
    ahead = {name: {name} if isinstance(node, Branch) else set() for name, node in flow.nodes.items()}
    changed = True
    while changed:
        changed = False
        for name, node in flow.nodes.items():
            more = ahead[name].union(*(ahead[target] for target in targets_of(node)))
            changed = changed or more != ahead[name]
            ahead[name] = more
    branches = {name: node for name, node in flow.nodes.items() if isinstance(node, Branch)}
    return {name: tuple(branches[one] for one in sorted(met)) for name, met in ahead.items()}
