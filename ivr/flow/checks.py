"""Proves a flow: small checks over the exploration, which all run and all report.

A finding that has a story comes with the shortest conversation that shows it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.actions import Play, StoreAnswer
from ivr.flow.conversation import Happening
from ivr.flow.events import Timer
from ivr.flow.exploration import MOST_PLACES, Durations, Exploration, Step, happenings
from ivr.flow.good_call import longest_good_call
from ivr.flow.longest import circle_in, longest_way
from ivr.flow.model import Branch, Flow, Question, targets_of

RequiredAnswers = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a flow must not do, and a conversation in which it does it; empty if it is no matter of a call."""

    message: str
    conversation: tuple[Happening, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What was explored and found. It holds if nothing was found."""

    states: int
    transitions: int
    outcomes: tuple[str, ...]
    longest_seconds: float | None  # None if a call may never end
    longest: tuple[Happening, ...]
    good_call_seconds: Mapping[str, float]  # by language
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether the flow may be published."""
        return not self.findings


def check(flow: Flow, durations: Durations, required_answers: RequiredAnswers) -> Proof:
    """Explore every event at every state of `flow` and report all that is wrong.

    `durations` are the seconds of (language, prompt id); `required_answers` the answers each question must be able
    to give, and the only ones it may.
    """
    walk = Exploration(flow, durations)
    faults = [*_size(walk), *_contract(walk), *_ends(walk)]
    circle = circle_in(walk)
    measured = not faults and not circle  # of a call that never ends nothing can be measured
    longest = list(happenings(flow, longest_way(walk))) if measured else []
    good = {language: longest_good_call(flow, durations, language) for language in flow.languages} if measured else {}
    findings = [*faults, *_circle(walk, circle), *_too_long(flow, longest), *_good_call(flow, good)]
    if walk.complete:  # what was not seen cannot be said to be missing
        findings += [*_truth(walk), *_reached(walk), *_recorded(walk), *_answers(walk, required_answers)]
    return Proof(
        states=len(walk.places),
        transitions=sum(len(place.steps) for place in walk.places),
        outcomes=tuple(sorted({place.surroundings.outcome for place in walk.places if place.surroundings.outcome})),
        longest_seconds=longest[-1].at_seconds if longest else None,
        longest=tuple(longest),
        good_call_seconds={language: way[-1].at_seconds for language, way in good.items() if way},
        findings=tuple(findings),
    )


def _told(walk: Exploration, place: int, *more: Step) -> tuple[Happening, ...]:
    return tuple(happenings(walk.flow, [*walk.way_to(place), *more]))


def _size(walk: Exploration) -> Iterator[Finding]:
    if not walk.complete:
        yield Finding(f"the flow has more than {MOST_PLACES} states: too many to prove anything; make it smaller")


def _contract(walk: Exploration) -> Iterator[Finding]:
    """The engine keeps its contract: End once and last, no speech before the disk, nothing left running."""
    for breach in walk.breaches:
        yield Finding(f"the engine breaks its contract: {breach.sentence}", _told(walk, breach.place, breach.step))


def _ends(walk: Exploration) -> Iterator[Finding]:
    """Every call waits for something that is sure to come, until it has its outcome."""
    for number, place in enumerate(walk.places[1:], 1):
        around = place.surroundings
        waits = around.playing or any(one.timer is not Timer.CALL_LENGTH for one in around.timers)
        if around.outcome is None and not waits:
            yield Finding(f"the call waits for nothing at node `{place.engine.node}`", _told(walk, number))


def _truth(walk: Exploration) -> Iterator[Finding]:
    """A call is `rated` if and only if it was; only a fault may come over a rating."""
    told: set[tuple[str, bool]] = set()
    for number, place in enumerate(walk.places):
        outcome, rated = place.surroundings.outcome, walk.flow.rates in place.engine.answers
        true = outcome is None or outcome == "error" or (outcome == "rated") == rated
        if not true and outcome is not None and (outcome, rated) not in told:
            told.add((outcome, rated))
            what = "a call in which a rating was given" if rated else "a call in which nobody rated"
            yield Finding(f"{what} ends as `{outcome}`", _told(walk, number))


def _reached(walk: Exploration) -> Iterator[Finding]:
    """Every node can be reached. Calls pass through branches without resting there."""
    nodes = walk.flow.nodes
    reached = {place.engine.node for place in walk.places}
    while more := {
        target
        for name in reached & nodes.keys()
        for target in targets_of(nodes[name])
        if isinstance(nodes[target], Branch) and target not in reached
    }:
        reached |= more
    if isinstance(nodes[walk.flow.start], Branch):
        reached.add(walk.flow.start)
    yield from (Finding(f"no call ever reaches node `{name}`") for name in nodes if name not in reached)


def _recorded(walk: Exploration) -> Iterator[Finding]:
    """Each prompt there can be is recorded in each language; where a call plays a missing one, that call is told."""
    for language in walk.flow.languages:
        for prompt in sorted(walk.flow.prompts()):
            if (language, prompt) not in walk.durations:
                message = f"prompt `{prompt}` is not recorded in {language}"
                yield Finding(message, _first_play(walk, language, prompt))


def _first_play(walk: Exploration, language: str, prompt: str) -> tuple[Happening, ...]:
    for number, place in enumerate(walk.places):
        for step in place.steps:
            for action in step.actions:
                if isinstance(action, Play) and action.language == language and prompt in action.prompts:
                    return _told(walk, number, step)
    return ()


def _answers(walk: Exploration, required: RequiredAnswers) -> Iterator[Finding]:
    """Every required answer has a key that a caller can press, and no other answer exists."""
    stored = {
        (action.question, action.answer)
        for place in walk.places
        for step in place.steps
        for action in step.actions
        if isinstance(action, StoreAnswer)
    }
    for question, answers in required.items():
        asked = [node for node in walk.flow.nodes.values() if isinstance(node, Question) and node.question == question]
        if not asked:
            yield Finding(f"the flow never asks `{question}`")
            continue
        possible = {answer for node in asked for answer in node.keys.values()}
        for answer in answers:
            if answer not in possible:
                yield Finding(f"no key of question `{question}` stands for `{answer}`")
            elif (question, answer) not in stored:
                yield Finding(f"no caller can ever answer `{answer}` to question `{question}`")
        for answer in sorted(possible - set(answers)):
            yield Finding(f"`{answer}` is no answer that `{question}` may have; known: {', '.join(answers)}")


def _circle(walk: Exploration, circle: list[Step]) -> Iterator[Finding]:
    if circle:
        start = circle[-1].target
        yield Finding("a call can go on for ever: from the end of this, round again", _told(walk, start, *circle))


def _too_long(flow: Flow, longest: list[Happening]) -> Iterator[Finding]:
    if longest and longest[-1].at_seconds > flow.maximum_seconds:
        seconds = longest[-1].at_seconds
        message = f"a call can last {seconds:.1f} s, more than maximum_seconds ({flow.maximum_seconds:g})"
        yield Finding(message, tuple(longest))


def _good_call(flow: Flow, good: Mapping[str, list[Happening]]) -> Iterator[Finding]:
    for language, bound in flow.good_call_seconds.items():
        way = good.get(language)
        if way and way[-1].at_seconds > bound:
            message = f"a good call in {language} lasts {way[-1].at_seconds:.1f} s, more than {bound:g}"
            yield Finding(message, tuple(way))
