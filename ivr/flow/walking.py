"""Moves from node to node, and the prompts that ask nothing."""

from typing import Final

from ivr.flow.actions import Action, StartTimer
from ivr.flow.call import Call
from ivr.flow.events import Answered, Event, KeyPressed, Timer
from ivr.flow.model import Branch, Close, Menu, Question, Recording, Say
from ivr.flow.situation import State, Turn

GUARD_SECONDS: Final = 0.7  # presses of one key closer than this, across a change of prompt, are one press


def begin(call: Call, event: Answered) -> list[Action]:
    """Speak the contact's language if the flow has it, and go to the first node."""
    if event.language in call.flow.languages:
        call.at = call.at._replace(language=event.language, contact_language=event.language)
    return [StartTimer(0, Timer.CALL_LENGTH, call.flow.maximum_seconds), *enter(call, call.flow.start)]


def enter(call: Call, name: str, guard: str = "") -> list[Action]:
    """Go to a node. `guard` is the key that led there: its echo must not act on the next question.

    Branches take no event; the loader has made sure that they lead out of one another.
    """
    call.at = call.at._replace(node=name, turn=Turn(guard=guard))
    match call.flow.nodes[name]:
        case Question() | Menu():
            return ask(call)
        case Say(prompts=prompts):
            return call.play(State.SAYING, prompts)
        case Recording(prompts=prompts):
            return call.play(State.CUEING, prompts)
        case Branch() as branch:
            return enter(call, call.way(branch), guard)
        case Close(prompts=prompts):
            return call.play(State.CLOSING, prompts) if prompts else call.hang_up()


def ask(call: Call) -> list[Action]:
    """Put the question as the present try does."""
    if isinstance(call.node, Question) and call.node.question == call.flow.rates:
        call.asked += 1
    call.note(scolded=False, digits="")
    return put(call, call.trial.prompts)


def put(call: Call, prompts: tuple[str, ...]) -> list[Action]:
    """Play a prompt of a question, guarded against the echo of the key that led to it."""
    played = call.play(State.ASKING, prompts)
    return [*played, call.start(Timer.GUARD, GUARD_SECONDS)] if call.at.turn.guard else played


def drop_guard(call: Call, _: Event) -> list[Action]:
    """Take every key for meant again."""
    call.note(guard="")
    return []


def go_on(call: Call, _: Event) -> list[Action]:
    """Go to the next node, played or not: words that ask nothing are not worth a call."""
    return [*call.quiet(), *enter(call, call.following)]


def skip(call: Call, event: KeyPressed) -> list[Action]:
    """Cut words short: any key at a `say`, the stop key before a recording, which then does not begin."""
    match call.node:
        case Say(barge_in=True, next=following):
            return enter(call, following, event.key)
        case Recording(barge_in=True, stop_key=stop_key, next=following) if event.key == stop_key:
            return enter(call, following, event.key)
        case _:
            return []


def apologise(call: Call) -> list[Action]:
    """Tell the caller that it is the service's fault, and end."""
    call.at = call.at._replace(turn=Turn())
    return call.play(State.APOLOGISING, call.flow.fault)
