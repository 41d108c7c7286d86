"""Turns the text of a flow file into a Flow, or into all of its mistakes at once.

This module knows the grammar: which fields there are and within which bounds. What the fields say of each other
is checked in `references`. It reads no file: the caller does.
"""

import re
from hashlib import sha256
from pathlib import Path
from typing import Final

import yaml
from yaml.nodes import Node as YamlNode
from yaml.nodes import ScalarNode, SequenceNode

from ivr.flow.model import (
    KEYS,
    OUTCOMES,
    Branch,
    Change,
    Choice,
    Close,
    Collect,
    Flow,
    Menu,
    Node,
    NoMatch,
    Question,
    Recording,
    Replay,
    Say,
    Try,
)
from ivr.flow.references import References
from ivr.flow.yaml_fields import Fields, Mistake, Reader, did_you_mean

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
PROMPT_OF_ANSWER: Final = re.compile(r"[a-z][a-z0-9_]*(\{answer\})?|\{answer\}")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
VERSION: Final = re.compile(r"[0-9A-Za-z.]{1,20}")
KEY: Final = re.compile(rf"[{re.escape(KEYS)}]{{1,8}}")
NAME_SAYS: Final = "small letters, digits and _, a letter first"
KEY_SAYS: Final = "keys are 0-9, *, # and A-D, in quotes"

MOST_TEXT: Final = 256 * 1024
MOST_TRIES: Final = 5
KINDS: Final = {  # the field that makes a node what it is: (required fields, optional fields)
    "question": (
        ("keys", "tries", "noinput", "nomatch", "next"),
        ("replay", "interdigit_seconds", "confirm", "change"),
    ),
    "menu": (("tries", "noinput", "nomatch"), ("replay", "interdigit_seconds")),
    "record": (
        ("say", "maximum_seconds", "stop_key", "silence_seconds", "next"),
        ("minimum_seconds", "barge_in"),
    ),
    "branch": (("cases", "otherwise"), ()),
    "end": ((), ("say",)),
    "say": (("next",), ("barge_in",)),
}
FLOW_FIELDS: Final = ("flow", "version", "languages", "rates", "maximum_seconds", "fault", "start", "nodes")


class FlowMistakes(Exception):
    """A flow that cannot be run, with everything that is wrong with it, in the order of the file."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        """Keep the mistakes in `mistakes`."""
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def load(path: Path | None, text: str) -> Flow:
    """Build the flow written in `text`; `path` only names it in mistakes. Raises FlowMistakes."""
    reader = Reader(str(path) if path else "flow")
    root = _compose(reader, text)
    flow = _Grammar(reader).flow(root, text) if root is not None else None
    if flow is None or reader.mistakes:
        raise FlowMistakes(sorted(reader.mistakes, key=lambda mistake: (mistake.line, mistake.column)))
    return flow


def _compose(reader: Reader, text: str) -> YamlNode | None:
    """Parse YAML into nodes that know their places; a syntax error is one mistake, as nothing after it is sure."""
    if len(text) > MOST_TEXT:
        reader.mistakes.append(Mistake(reader.file, 1, 1, f"a flow has at most {MOST_TEXT} characters"))
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # `*` opens an alias and `#` a comment in YAML: the two keys everybody forgets to quote
        hint = "write keys in quotes" if "alias" in f"{error.context} {error.problem}" else ""
        message = f"this is not YAML: {error.problem or error.context}"
        reader.mistakes.append(Mistake(reader.file, line, column, message, hint))
        return None
    except (yaml.YAMLError, RecursionError) as error:
        message = f"this is not YAML: {str(error).splitlines()[0] if str(error) else 'nested too deeply'}"
        reader.mistakes.append(Mistake(reader.file, 1, 1, message))
        return None
    if root is None:
        reader.mistakes.append(Mistake(reader.file, 1, 1, "the file is empty"))
    return root


class _Grammar:
    """Reads one file; references between nodes are noted on the way and checked at its end."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.references = References(reader)

    def flow(self, root: YamlNode, text: str) -> Flow | None:
        fields = self.reader.fields(root, "the flow", (*FLOW_FIELDS, "good_call_seconds"), FLOW_FIELDS)
        languages = self._languages(fields)
        nodes = self._nodes(fields)
        flow = Flow(
            name=self._word(fields, "flow"),
            version=f"{self._version(fields)}+{sha256(text.encode()).hexdigest()[:12]}",
            languages=languages,
            maximum_seconds=fields.number("maximum_seconds", 10, 1800),
            good_call_seconds=self._good_call(fields, languages),
            rates=self._question_named(fields, "rates"),
            fault=self._prompts(fields, "fault"),
            start=self._target(fields, "start"),
            nodes=nodes,
        )
        self.references.check(flow)
        return flow

    # --- nodes

    def _nodes(self, fields: Fields) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        if "nodes" not in fields:
            return nodes
        for key, value in self.reader.pairs(fields.found["nodes"], "`nodes`"):
            name = self.reader.word(key, "a node's name", NAME, NAME_SAYS)
            self.references.place(key.value, key)
            node = self._node(name, value)
            if name and node is not None:
                nodes[name] = node
        return nodes

    def _node(self, name: str, value: YamlNode) -> Node | None:
        of = f"node `{name}`"
        found = {key.value for key, _ in self.reader.pairs(value, of, quiet=True)}
        kind = next((kind for kind in KINDS if kind in found), None)
        if kind is None:
            self.reader.fields(value, of, {*found, *KINDS})  # says so if it is no mapping at all
            self.reader.mistake(value, f"{of} is of no kind", f"it needs one of: {', '.join(KINDS)}")
            return None
        required, optional = KINDS[kind]
        fields = self.reader.fields(value, of, (kind, *required, *optional), (kind, *required))
        match kind:
            case "question":
                return self._question(fields)
            case "menu":
                return self._menu(fields)
            case "record":
                return self._record(fields)
            case "branch":
                return self._branch(fields)
            case "end":
                return Close(self._prompts(fields, "say"), self._outcome(fields))
            case _:
                says = self._prompts(fields, "say")
                return Say(says, fields.truth("barge_in", default=False), self._target(fields, "next"))

    def _question(self, fields: Fields) -> Question:
        keys = self._answers(fields)
        confirm = self._prompts(fields, "confirm", PROMPT_OF_ANSWER)
        return Question(
            question=self._question_named(fields, "question", defines=keys),
            keys=keys,
            collect=self._collect(fields, keys),
            confirm={
                answer: tuple(prompt.replace("{answer}", answer) for prompt in confirm) for answer in keys.values()
            },
            change=self._change(fields),
            next=self._target(fields, "next"),
        )

    def _menu(self, fields: Fields) -> Menu:
        keys: dict[str, Choice] = {}
        for key, value in self.reader.pairs(fields.found["menu"], fields.name("menu")):
            pressed = self.reader.word(key, f"a key of {fields.of}", KEY, KEY_SAYS)
            choice = self.reader.fields(value, f"key `{pressed}` of {fields.of}", ("next", "language"), ("next",))
            language = self._word(choice, "language", LANGUAGE, "such as zh-CN") if "language" in choice else None
            if language:
                self.references.language(choice.found["language"])
            keys[pressed] = Choice(self._target(choice, "next"), language)
        if not keys:
            self.reader.mistake(fields.found["menu"], f"{fields.name('menu')} names no key")
        return Menu(keys, self._collect(fields, keys))

    def _record(self, fields: Fields) -> Recording:
        return Recording(
            question=self._question_named(fields, "record", defines={}),
            prompts=self._prompts(fields, "say"),
            barge_in=fields.truth("barge_in", default=True),
            maximum_seconds=fields.number("maximum_seconds", 1, 300),
            minimum_seconds=fields.number("minimum_seconds", 0, 10, default=1),
            silence_seconds=fields.number("silence_seconds", 1, 30),
            stop_key=self._key(fields, "stop_key"),
            next=self._target(fields, "next"),
        )

    def _branch(self, fields: Fields) -> Branch:
        on = self._word(fields, "branch")
        if on:
            self.references.branch(fields.found["branch"])
        cases: dict[str, str] = {}
        if "cases" in fields:
            for key, value in self.reader.pairs(fields.found["cases"], fields.name("cases")):
                self.references.case(on, key)
                self.references.target(value, f"case `{key.value}` of {fields.of}")
                cases[key.value] = self.reader.text(value, f"case `{key.value}` of {fields.of}")
        return Branch(on, cases, self._target(fields, "otherwise"))

    # --- parts of nodes

    def _collect(self, fields: Fields, keys: "dict[str, str] | dict[str, Choice]") -> Collect:
        return Collect(
            tries=self._tries(fields),
            noinput=self._target(fields, "noinput"),
            nomatch=self._nomatch(fields),
            replay=self._replay(fields, keys),
            interdigit_seconds=fields.number("interdigit_seconds", 1, 10, default=3),
        )

    def _replay(self, fields: Fields, keys: "dict[str, str] | dict[str, Choice]") -> Replay | None:
        part = self._part(fields, "replay", ("key", "at_most"))
        if part is None:
            return None
        key = self._key(part, "key")
        if key and key in keys:
            self.reader.mistake(part.found["key"], f"the replay key of {fields.of} stands in its key map too")
        return Replay(key, part.count("at_most", 10))

    def _tries(self, fields: Fields) -> tuple[Try, ...]:
        node = fields.found.get("tries")
        if node is None:
            return ()
        if not isinstance(node, SequenceNode) or not 1 <= len(node.value) <= MOST_TRIES:
            self.reader.mistake(node, f"{fields.name('tries')} must be a list of 1 to {MOST_TRIES} tries")
            return ()
        return tuple(self._try(one, f"try {place} of {fields.of}") for place, one in enumerate(node.value, 1))

    def _try(self, node: YamlNode, of: str) -> Try:
        fields = self.reader.fields(node, of, ("say", "wait_seconds", "barge_in"), ("say", "wait_seconds"))
        wait = fields.number("wait_seconds", 1, 30)
        return Try(self._prompts(fields, "say"), wait, fields.truth("barge_in", default=True))

    def _nomatch(self, fields: Fields) -> NoMatch:
        part = self._part(fields, "nomatch", ("say", "tries", "next"), ("barge_in",))
        if part is None:
            return NoMatch((), 1, "")
        says, barge_in = self._prompts(part, "say"), part.truth("barge_in", default=True)
        return NoMatch(says, part.count("tries", 10), self._target(part, "next"), barge_in)

    def _change(self, fields: Fields) -> Change | None:
        part = self._part(fields, "change", ("key", "say", "window_seconds", "at_most", "ask"))
        if part is None:
            return None
        return Change(
            key=self._key(part, "key"),
            prompts=self._prompts(part, "say"),
            window_seconds=part.number("window_seconds", 1, 10),
            at_most=part.count("at_most", 5),
            ask=self._try(part.found["ask"], part.name("ask")) if "ask" in part else Try((), 1),
        )

    def _part(
        self, fields: Fields, name: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> Fields | None:
        node = fields.found.get(name)
        return self.reader.fields(node, fields.name(name), (*required, *optional), required) if node else None

    # --- words

    def _word(self, fields: Fields, name: str, shape: re.Pattern[str] = NAME, says: str = NAME_SAYS) -> str:
        node = fields.found.get(name)
        return self.reader.word(node, fields.name(name), shape, says) if node else ""

    def _version(self, fields: Fields) -> str:
        return self._word(fields, "version", VERSION, "letters, digits and dots")

    def _languages(self, fields: Fields) -> tuple[str, ...]:
        if "languages" not in fields:
            return ()
        items = self.reader.texts(fields.found["languages"], "`languages` of the flow")
        return tuple(self.reader.word(item, "a language", LANGUAGE, "such as zh-CN") for item in items)

    def _good_call(self, fields: Fields, languages: tuple[str, ...]) -> dict[str, float]:
        node = fields.found.get("good_call_seconds")
        if node is None:
            return {}
        by_language = self.reader.fields(node, "`good_call_seconds`", languages)
        return {language: by_language.number(language, 1, 600) for language in languages if language in by_language}

    def _question_named(self, fields: Fields, name: str, defines: dict[str, str] | None = None) -> str:
        word = self._word(fields, name)
        if word and defines is None:
            self.references.question(fields.found[name], fields.name(name))
        elif word and defines is not None:
            self.references.answers.setdefault(word, set()).update(defines.values())
        return word

    def _answers(self, fields: Fields) -> dict[str, str]:
        keys: dict[str, str] = {}
        if "keys" not in fields:
            return keys
        for key, value in self.reader.pairs(fields.found["keys"], fields.name("keys")):
            pressed = self.reader.word(key, f"a key of {fields.of}", KEY, KEY_SAYS)
            keys[pressed] = self.reader.word(value, f"the answer of key `{pressed}`", NAME, NAME_SAYS)
        if not keys:
            self.reader.mistake(fields.found["keys"], f"{fields.name('keys')} names no key")
        return keys

    def _prompts(self, fields: Fields, name: str, shape: re.Pattern[str] = NAME) -> tuple[str, ...]:
        if name not in fields:
            return ()
        items: list[ScalarNode] = self.reader.texts(fields.found[name], fields.name(name))
        return tuple(self.reader.word(item, f"a prompt in {fields.name(name)}", shape, NAME_SAYS) for item in items)

    def _key(self, fields: Fields, name: str) -> str:
        return self._word(fields, name, re.compile(f"[{re.escape(KEYS)}]"), f"one key; {KEY_SAYS}")

    def _target(self, fields: Fields, name: str) -> str:
        node = fields.found.get(name)
        if node is None:
            return ""
        self.references.target(node, fields.name(name))
        return self.reader.text(node, fields.name(name))

    def _outcome(self, fields: Fields) -> str:
        outcome = self.reader.text(fields.found["end"], fields.name("end"))
        if outcome and outcome not in OUTCOMES:
            self.reader.mistake(fields.found["end"], f"`{outcome}` is no outcome", did_you_mean(outcome, OUTCOMES))
        return outcome
