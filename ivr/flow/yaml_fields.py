"""Reads fields from composed YAML nodes and collects every mistake with its place, instead of stopping at the first.

A field that cannot be read yields a harmless value, so that the rest of the file is read too; the flow is never
built while a mistake stands.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with a flow; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        """Write it as compilers do, so that editors jump to it."""
        place = f"{self.file}:{self.line}:{self.column}: {self.message}"
        return f"{place} ({self.suggestion})" if self.suggestion else place


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Suggest the nearest known word, or all of them if none is near."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known: {', '.join(sorted(known))}" if known else ""


@dataclass(slots=True)
class Reader:
    """The mistakes of one file."""

    file: str
    mistakes: list[Mistake] = field(default_factory=list)

    def mistake(self, node: Node, message: str, suggestion: str = "") -> None:
        """Note a mistake at a node's beginning."""
        mark = node.start_mark
        self.mistakes.append(Mistake(self.file, mark.line + 1, mark.column + 1, message, suggestion))

    def fields(self, node: Node, of: str, known: Collection[str], required: Collection[str] = ()) -> "Fields":
        """Read a mapping with known fields, each at most once."""
        found = {key.value: value for key, value in self.pairs(node, of)}
        names = {key.value: key for key, _ in self.pairs(node, of, quiet=True)}
        for name in found:
            if name not in known:
                self.mistake(names[name], f"{of} has no field `{name}`", did_you_mean(name, known))
        for name in required:
            if name not in found:
                self.mistake(node, f"{of} lacks the field `{name}`")
        return Fields(self, of, node, found)

    def pairs(self, node: Node, of: str, *, quiet: bool = False) -> Iterator[tuple[ScalarNode, Node]]:
        """Yield the pairs of a mapping, the first of equal keys only; `quiet` says nothing of mistakes twice."""
        if not isinstance(node, MappingNode):
            if not quiet:
                self.mistake(node, f"{of} must be a mapping (`name: value` lines)")
            return
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                if not quiet:
                    self.mistake(key, f"a name in {of} must be plain text")
            elif key.value in seen:
                if not quiet:
                    self.mistake(key, f"`{key.value}` stands twice in {of}", "keep one of them")
            else:
                seen.add(key.value)
                yield key, value

    def text(self, node: Node, of: str) -> str:
        """Read plain text that is not empty."""
        if isinstance(node, ScalarNode) and node.value and not node.tag.endswith(":null"):
            return str(node.value)
        self.mistake(node, f"{of} must be text")
        return ""

    def word(self, node: Node, of: str, shape: re.Pattern[str], says: str) -> str:
        """Read text of a certain shape."""
        text = self.text(node, of)
        if text and not shape.fullmatch(text):
            self.mistake(node, f"{of} `{text}` is not well formed", says)
            return ""
        return text

    def texts(self, node: Node, of: str) -> list[ScalarNode]:
        """Read one text or a list of texts, as nodes that remember their places."""
        items = node.value if isinstance(node, SequenceNode) else [node]
        if not items:
            self.mistake(node, f"{of} must not be empty")
        return [item for item in items if self.text(item, of) and isinstance(item, ScalarNode)]


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one mapping, read by name."""

    reader: Reader
    of: str
    node: Node
    found: Mapping[str, Node]

    def __contains__(self, name: str) -> bool:
        """Whether the field stands in the file."""
        return name in self.found

    def name(self, field_name: str) -> str:
        """Name a field in a message."""
        return f"`{field_name}` of {self.of}"

    def number(self, name: str, least: float, most: float, default: float | None = None) -> float:
        """Read a number within bounds, in the unit of its name. Without it: the default."""
        if name not in self.found:
            return least if default is None else default
        text = self.reader.text(self.found[name], self.name(name))
        if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text):
            if text:
                self.reader.mistake(self.found[name], f"{self.name(name)} must be a number, not `{text}`")
            return least
        if not least <= float(text) <= most:
            self.reader.mistake(self.found[name], f"{self.name(name)} must lie within {least:g} and {most:g}")
            return least
        return float(text)

    def count(self, name: str, most: int) -> int:
        """Read a whole number from 1 to `most`: what is counted is bounded."""
        value = self.number(name, 1, most)
        if value != int(value):
            self.reader.mistake(self.found[name], f"{self.name(name)} must be a whole number")
        return int(value)

    def truth(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        if name not in self.found:
            return default
        text = self.reader.text(self.found[name], self.name(name)).lower()
        if text and text not in {"true", "false"}:
            self.reader.mistake(self.found[name], f"{self.name(name)} must be true or false, not `{text}`")
        return text == "true"
