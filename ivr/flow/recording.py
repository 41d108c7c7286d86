"""Moves at a recording: its beginning, its end, and the word of the journal that keeps it."""

from typing import Final

from ivr.flow.actions import Action, Record, StopRecording
from ivr.flow.call import Call
from ivr.flow.events import Event, KeyPressed, RecordingFinished, Timer
from ivr.flow.situation import Given, Pending, State
from ivr.flow.storing import store, to_journal
from ivr.flow.walking import enter

RECORDER_SECONDS: Final = 5.0  # what a recorder may take beyond the longest recording, and to finish one


def record(call: Call, _: Event) -> list[Action]:
    """Record, now that the caller has heard that it happens."""
    node, attempt = call.recording, call.attempt(State.RECORDING)
    call.at = call.at._replace(stopping=False)
    timer = call.start(Timer.RECORDING, node.maximum_seconds + RECORDER_SECONDS)
    return [Record(attempt, node.maximum_seconds, node.stop_key, node.silence_seconds), timer]


def stop(call: Call, event: KeyPressed) -> list[Action]:
    """End the recording at the stop key, once."""
    return _stop(call) if event.key == call.recording.stop_key else []


def keep(call: Call, event: RecordingFinished) -> list[Action]:
    """Store the recording's reference, unless nothing was said."""
    quiet = call.quiet()
    if event.seconds < call.recording.minimum_seconds or not event.reference:
        return [*quiet, *enter(call, call.following)]
    return [*quiet, *store(call, _pending(call, event))]


def keep_after_all(call: Call, event: RecordingFinished) -> list[Action]:
    """The same when the leg is gone already: hanging up is how most callers end a message."""
    quiet = call.quiet()
    if event.seconds < call.recording.minimum_seconds or not event.reference:
        return [*quiet, *call.end()]
    call.attempt(State.LEAVING)
    return [*quiet, *to_journal(call, _pending(call, event))]


def abandon(call: Call, _: Event) -> list[Action]:
    """Go on without the recording: the recorder has not spoken in time."""
    return [*_stop(call), *enter(call, call.following)]


def gone(call: Call, _: Event) -> list[Action]:
    """End the recording because the leg is gone, and wait for what was said."""
    stopped, quiet = _stop(call), call.quiet()
    call.move(State.LEAVING)
    return [*stopped, *quiet, call.start(Timer.RECORDING, RECORDER_SECONDS)]


def _pending(call: Call, event: RecordingFinished) -> Pending:
    return Pending(call.recording.question, Given(event.reference, ""))


def _stop(call: Call) -> list[Action]:
    if call.at.stopping:
        return []
    call.at = call.at._replace(stopping=True)
    return [StopRecording(call.at.attempt)]
