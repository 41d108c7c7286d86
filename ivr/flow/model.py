"""A call flow as values: nodes, each naming the next. Built by the loader, walked by the engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KEYS: Final = "0123456789*#ABCD"
OUTCOMES: Final = (
    "rated",
    "silent",
    "invalid",
    "hung_up",
    "declined",
    "transfer_failed",
    "not_offered",
    "expired",
    "deemed",
    "error",
)
CONTACT_LANGUAGE: Final = "contact_language"  # what a branch may ask for beside the name of a question
NO_ANSWER: Final = "none"  # what a branch meets where there is no answer, or the contact names no language


@dataclass(frozen=True, slots=True)
class Try:
    """One way of putting a question, and the silence it allows afterwards."""

    prompts: tuple[str, ...]
    wait_seconds: float
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class NoMatch:
    """What a key outside the map meets; the `tries`-th such key of one question goes to `next`."""

    prompts: tuple[str, ...]
    tries: int
    next: str
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class Replay:
    """The key that plays the current try again; further presses than `at_most` are wrong keys."""

    key: str
    at_most: int


@dataclass(frozen=True, slots=True)
class Change:
    """The key that takes an answer back to the question, while it is confirmed and so long afterwards.

    The old answer stands until a new one is stored, and for good if none is given.
    """

    key: str
    prompts: tuple[str, ...]
    window_seconds: float
    at_most: int
    ask: Try


@dataclass(frozen=True, slots=True)
class Collect:
    """How keys are asked for: the same for a question, whose keys are answers, and a menu, whose keys are ways."""

    tries: tuple[Try, ...]
    noinput: str
    nomatch: NoMatch
    replay: Replay | None
    interdigit_seconds: float


@dataclass(frozen=True, slots=True)
class Question:
    """Keys stand for named answers; an answer is stored before anything else is said."""

    question: str
    keys: Mapping[str, str]
    collect: Collect
    confirm: Mapping[str, tuple[str, ...]]
    change: Change | None
    next: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a menu's key leads, and the language it switches to, if any."""

    next: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Menu:
    """Keys stand for ways through the flow; nothing is stored."""

    keys: Mapping[str, Choice]
    collect: Collect


@dataclass(frozen=True, slots=True)
class Say:
    """Prompts without a question; a key skips them only where barge-in is on."""

    prompts: tuple[str, ...]
    barge_in: bool
    next: str


@dataclass(frozen=True, slots=True)
class Recording:
    """Words of the caller, stored as the answer to `question`; shorter ones than the minimum are nothing said."""

    question: str
    prompts: tuple[str, ...]
    barge_in: bool
    maximum_seconds: float
    minimum_seconds: float
    silence_seconds: float
    stop_key: str
    next: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A way chosen by an answer already given, or by the contact's language; takes no time."""

    on: str
    cases: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True, slots=True)
class Close:
    """The last words, perhaps none, and the outcome."""

    prompts: tuple[str, ...]
    outcome: str


Node = Question | Menu | Say | Recording | Branch | Close


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole flow. `version` is the declared version, `+`, 12 hex digits of the text's SHA-256.

    `good_call_seconds` bounds by language the call in which everything is heard and answered at once.
    """

    name: str
    version: str
    languages: tuple[str, ...]
    maximum_seconds: float
    good_call_seconds: Mapping[str, float]
    rates: str
    fault: tuple[str, ...]
    start: str
    nodes: Mapping[str, Node]

    @property
    def records(self) -> bool:
        """True if the flow can record the caller's words, which the gateway must then be able to do."""
        return any(isinstance(node, Recording) for node in self.nodes.values())

    def prompts(self) -> frozenset[str]:
        """The ids of all prompts the flow can play."""
        return frozenset(self.fault).union(*(prompts_of(node) for node in self.nodes.values()))


def prompts_of(node: Node) -> frozenset[str]:
    """The ids of all prompts one node can play."""
    match node:
        case Question(collect=collect, confirm=confirm, change=change):
            changing = (*change.prompts, *change.ask.prompts) if change else ()
            return _asked(collect).union(changing, *confirm.values())
        case Menu(collect=collect):
            return _asked(collect)
        case Say(prompts=prompts) | Recording(prompts=prompts) | Close(prompts=prompts):
            return frozenset(prompts)
        case Branch():
            return frozenset()


def _asked(collect: Collect) -> frozenset[str]:
    return frozenset(collect.nomatch.prompts).union(*(one.prompts for one in collect.tries))


def keys_of(flow: Flow) -> frozenset[str]:
    """All keys that mean something at some node of the flow."""
    return frozenset().union(*(_keys_of(node) for node in flow.nodes.values()))


def _keys_of(node: Node) -> set[str]:
    match node:
        case Question(keys=keys, collect=collect, change=change):
            return {*keys, *((change.key,) if change else ()), *_replay_of(collect)}
        case Menu(keys=keys, collect=collect):
            return {*keys, *_replay_of(collect)}
        case Recording(stop_key=stop_key):
            return {stop_key}
        case Say() | Branch() | Close():
            return set()


def _replay_of(collect: Collect) -> tuple[str, ...]:
    return (collect.replay.key,) if collect.replay else ()


def targets_of(node: Node) -> tuple[str, ...]:
    """The names of all nodes one node can lead to, in the order they stand in the file."""
    match node:
        case Question(collect=collect, next=following):
            return (collect.noinput, collect.nomatch.next, following)
        case Menu(keys=keys, collect=collect):
            return (*(choice.next for choice in keys.values()), collect.noinput, collect.nomatch.next)
        case Say(next=following) | Recording(next=following):
            return (following,)
        case Branch(cases=cases, otherwise=otherwise):
            return (*cases.values(), otherwise)
        case Close():
            return ()
