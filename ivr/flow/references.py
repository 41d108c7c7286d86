"""Checks what the parts of a flow file say of each other: every name that is used must exist.

References are noted while the file is read and checked at its end, because a node may name a later one.
"""

from collections.abc import Collection

from yaml.nodes import Node as YamlNode
from yaml.nodes import ScalarNode

from ivr.flow.model import CONTACT_LANGUAGE, NO_ANSWER, Branch, Flow
from ivr.flow.yaml_fields import Reader, did_you_mean


class References:
    """The names one file uses, with the places it uses them at."""

    def __init__(self, reader: Reader) -> None:
        """Begin with none."""
        self.reader = reader
        self.answers: dict[str, set[str]] = {}  # question -> the answers it can have
        self._targets: list[tuple[ScalarNode, str]] = []
        self._questions: list[tuple[YamlNode, str]] = []
        self._branches: list[YamlNode] = []
        self._cases: list[tuple[str, ScalarNode]] = []
        self._languages: list[YamlNode] = []
        self._places: dict[str, ScalarNode] = {}

    def place(self, name: str, node: ScalarNode) -> None:
        """Note that a node of the flow is called so."""
        self._places[name] = node

    def target(self, node: YamlNode, of: str) -> None:
        """Note that a field leads to a node."""
        if isinstance(node, ScalarNode) and node.value:
            self._targets.append((node, of))

    def question(self, node: YamlNode, of: str) -> None:
        """Note that a field names a question."""
        self._questions.append((node, of))

    def branch(self, node: YamlNode) -> None:
        """Note what a branch asks for."""
        self._branches.append(node)

    def case(self, on: str, key: ScalarNode) -> None:
        """Note that a branch on `on` has a case for an answer."""
        self._cases.append((on, key))

    def language(self, node: YamlNode) -> None:
        """Note that a key chooses a language."""
        self._languages.append(node)

    def check(self, flow: Flow) -> None:
        """Note a mistake for every name that leads nowhere, and for branches that only lead to each other."""
        for node, of in self._targets:
            if node.value not in self._places:
                message = f"{of} leads to `{node.value}`, which is no node"
                self.reader.mistake(node, message, did_you_mean(node.value, self._places))
        for place, of in self._questions:
            self._known(place, of, self.answers, "which is no question")
        for place in self._languages:
            self._known(place, "a key's `language`", flow.languages, "which is no language of the flow")
        for place in self._branches:
            self._known(place, "`branch`", {*self.answers, CONTACT_LANGUAGE}, "which is no question")
        for on, key in self._cases:
            self._case(flow, on, key)
        for name in _endless_branches(flow):
            message = f"branch `{name}` can lead back to itself without anything being asked or said"
            self.reader.mistake(self._places[name], message)

    def _case(self, flow: Flow, on: str, key: ScalarNode) -> None:
        if on == CONTACT_LANGUAGE:
            self._known(key, "a case", {*flow.languages, NO_ANSWER}, "which is no language of the flow")
        elif on in self.answers:
            self._known(key, "a case", {*self.answers[on], NO_ANSWER}, f"which is no answer to `{on}`")

    def _known(self, node: YamlNode, of: str, known: Collection[str], why: str) -> None:
        name = str(node.value)
        if name not in known:
            self.reader.mistake(node, f"{of} names `{name}`, {why}", did_you_mean(name, known))


def _endless_branches(flow: Flow) -> list[str]:
    """Name the branches on a circle of branches only: the engine would turn in it without an event."""
    ways = {
        name: {*node.cases.values(), node.otherwise} for name, node in flow.nodes.items() if isinstance(node, Branch)
    }
    return [name for name in ways if name in _reached(ways, ways[name])]


def _reached(ways: dict[str, set[str]], start: set[str]) -> set[str]:
    seen: set[str] = set()
    ahead = set(start)
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead |= ways.get(name, set())
    return seen
