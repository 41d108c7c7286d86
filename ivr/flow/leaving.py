"""Moves out of the call: the leg is gone, the last words are said, the call is too long."""

from ivr.flow import recording
from ivr.flow.actions import Action, HangUp
from ivr.flow.call import Call
from ivr.flow.events import Event
from ivr.flow.situation import State
from ivr.flow.storing import settle


def gone(call: Call, _: Event) -> list[Action]:
    """End with what is true: what was answered before stands."""
    return call.end()


def gone_while_storing(call: Call, _: Event) -> list[Action]:
    """Wait for the journal: whether the last press counts is decided on the disk, not by the hook."""
    call.move(State.LEAVING)
    return []


def stored_after_all(call: Call, _: Event) -> list[Action]:
    """Count the answer of a caller who has left, and end."""
    settle(call)
    return [*call.quiet(), *call.end()]


def lost_after_all(call: Call, _: Event) -> list[Action]:
    """End as a fault: the caller answered and it was not kept."""
    return [*call.quiet(), *call.end(fault=True)]


def last_words_said(call: Call, _: Event) -> list[Action]:
    """Hang up, whether they could be played or not."""
    return call.hang_up()


def too_long(call: Call, event: Event) -> list[Action]:
    """Hang up at the maximum length. The proof shows that no caller gets here while prompts and timers report."""
    match call.at.state:
        case State.STORING:
            return [HangUp(), *gone_while_storing(call, event)]
        case State.RECORDING:
            return [*recording.gone(call, event), HangUp()]
        case _:
            # nobody hung up and nobody was silent to the end: without a rating it is a fault of the service
            return call.hang_up(fault=call.truth == "hung_up")
