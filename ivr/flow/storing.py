"""Moves from a given answer to a settled one: first the disk, then the voice, then the chance to change.

Keys are deaf while the journal works, and only the change key acts afterwards: a second press of the same
finger neither answers the next question nor counts as a wrong key.
"""

from typing import Final

from ivr.flow.actions import Action, StoreAnswer
from ivr.flow.call import Call
from ivr.flow.events import Event, KeyPressed, Timer
from ivr.flow.model import Question
from ivr.flow.situation import Given, Pending, State, Turn
from ivr.flow.walking import apologise, ask, enter

JOURNAL_SECONDS: Final = 5.0  # no caller waits for a disk longer than this


def store(call: Call, pending: Pending) -> list[Action]:
    """Send the answer to the journal; nothing is said before its word."""
    call.attempt(State.STORING)
    call.at = call.at._replace(turn=Turn(changes=call.at.turn.changes))
    return to_journal(call, pending)


def to_journal(call: Call, pending: Pending) -> list[Action]:
    """Send the answer under the present attempt, whatever the state."""
    call.at = call.at._replace(pending=pending)
    stored = StoreAnswer(call.at.attempt, pending.question, pending.given.answer, pending.given.key)
    return [stored, call.start(Timer.JOURNAL, JOURNAL_SECONDS)]


def settle(call: Call) -> Given:
    """Count the answer: it is on disk."""
    pending = call.at.pending
    assert pending is not None
    call.answers[pending.question] = pending.given
    call.at = call.at._replace(pending=None)
    return pending.given


def stored(call: Call, _: Event) -> list[Action]:
    """Say the answer back and offer a change, or go on."""
    quiet, given, change = call.quiet(), settle(call), call.change
    said = call.node.confirm.get(given.answer, ()) if isinstance(call.node, Question) else ()
    said += change.prompts if change else ()
    if said:
        return [*quiet, *call.play(State.CONFIRMING, said)]
    return [*quiet, *(_open(call) if change else enter(call, call.following, given.key[-1:]))]


def not_stored(call: Call, _: Event) -> list[Action]:
    """Tell the caller, rather than thank for what was lost."""
    call.at = call.at._replace(pending=None)
    return apologise(call)


def open_window(call: Call, _: Event) -> list[Action]:
    """Leave some seconds of silence for the change key."""
    return _open(call)


def _open(call: Call) -> list[Action]:
    change = call.change
    if change is None:
        return enter(call, call.following)
    call.move(State.CHANGING)
    return [call.start(Timer.CHANGE, change.window_seconds)]


def take_back(call: Call, event: KeyPressed) -> list[Action]:
    """Ask again; the answer given stands until another is stored."""
    change = call.change
    if change is None or event.key != change.key:
        return []
    call.note(changing=True, changes=call.at.turn.changes + 1, guard=event.key)
    return ask(call)
