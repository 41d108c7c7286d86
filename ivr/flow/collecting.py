"""Moves at a question or menu: silence, keys, wrong keys.

Silence (VoiceXML's noinput) and wrong keys (nomatch) have tries of their own; neither ever uses up the other's.
"""

from ivr.flow.actions import Action
from ivr.flow.call import Call
from ivr.flow.events import Event, KeyPressed, PromptFailed, PromptFinished, Timer
from ivr.flow.model import Menu, Question
from ivr.flow.situation import Given, Pending, State
from ivr.flow.storing import store
from ivr.flow.walking import apologise, ask, enter, put


def listen(call: Call, event: PromptFinished | PromptFailed) -> list[Action]:
    """Give the caller time; a prompt that could not be played is passed over, the silence after it is not."""
    turn = call.at.turn
    call.note(heard=turn.heard or (isinstance(event, PromptFinished) and not turn.scolded))
    call.move(State.COLLECTING)
    return [call.start(Timer.NOINPUT, call.trial.wait_seconds)]


def barge_in(call: Call, event: KeyPressed) -> list[Action]:
    """Take a key into the prompt, if this prompt lets itself be interrupted."""
    allowed = call.collect.nomatch.barge_in if call.at.turn.scolded else call.trial.barge_in
    return dial(call, event) if allowed else []


def dial(call: Call, event: KeyPressed) -> list[Action]:
    """Add a digit; act as soon as no longer key can be meant.

    A wrong beginning of a long key is read to its end too, or its rest would count as further wrong keys.
    """
    turn = call.at.turn
    if event.key == turn.guard:
        return []
    digits, keys = turn.digits + event.key, _keys(call)
    quiet = call.quiet()
    call.note(digits=digits, heard=True, guard="")
    longer = any(key != digits and key.startswith(digits) for key in keys)
    if (digits in keys and not longer) or len(digits) >= max(map(len, keys)):
        return [*quiet, *_act(call, digits)]
    call.attempt(State.DIALLING)
    return [*quiet, call.start(Timer.INTERDIGIT, call.collect.interdigit_seconds)]


def decide(call: Call, _: Event) -> list[Action]:
    """Take the digits as they are: no more came in time."""
    return _act(call, call.at.turn.digits)


def noinput(call: Call, _: Event) -> list[Action]:
    """Put the question the next way, or give it up."""
    turn, collect = call.at.turn, call.collect
    if turn.changing or turn.tries + 1 >= len(collect.tries):
        return _give_up(call, collect.noinput, silent=True)
    call.note(tries=turn.tries + 1, guard="")
    return ask(call)


def _keys(call: Call) -> set[str]:
    assert isinstance(call.node, Question | Menu)
    replay = call.node.collect.replay
    return {*call.node.keys, *((replay.key,) if replay else ())}


def _act(call: Call, digits: str) -> list[Action]:
    node, turn, replay = call.node, call.at.turn, call.collect.replay
    if replay and digits == replay.key and turn.replays < replay.at_most:
        call.note(replays=turn.replays + 1, guard=digits[-1])
        return ask(call)
    if isinstance(node, Question) and digits in node.keys:
        return store(call, Pending(node.question, Given(node.keys[digits], digits)))
    if isinstance(node, Menu) and digits in node.keys:
        choice = node.keys[digits]
        call.at = call.at._replace(language=choice.language or call.at.language)
        return enter(call, choice.next, digits[-1])
    return _nomatch(call, digits)


def _nomatch(call: Call, digits: str) -> list[Action]:
    nomatch, wrong = call.collect.nomatch, call.at.turn.wrong + 1
    if wrong >= nomatch.tries:
        return _give_up(call, nomatch.next)
    call.note(wrong=wrong, digits="", scolded=True, guard=digits[-1])
    return put(call, nomatch.prompts)


def _give_up(call: Call, way: str, *, silent: bool = False) -> list[Action]:
    """Leave the question; a standing answer stands, and who could hear no question was not silent."""
    turn = call.at.turn
    if turn.changing:
        return enter(call, call.following)
    if silent and not turn.heard and isinstance(call.node, Question):
        return apologise(call)
    return enter(call, way)
