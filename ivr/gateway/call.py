"""One call leg: what the engine asks for is done on SIP, media and journal, and what they report goes to the engine.

The rule of the house lives here: the engine hears `AnswerStored` only after the journal's append returned, so
thanks can only be played for what is durable.
"""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog

from ivr.flow.actions import (
    Action,
    CancelTimer,
    End,
    HangUp,
    Play,
    Record,
    StartTimer,
    StopPrompt,
    StopRecording,
    StoreAnswer,
)
from ivr.flow.engine import Engine
from ivr.flow.events import (
    Answered,
    AnswerNotStored,
    AnswerStored,
    Event,
    HungUp,
    KeyPressed,
    PromptFailed,
    PromptFinished,
    RecordingFailed,
    Timer,
    TimerFired,
)
from ivr.gateway import figures
from ivr.gateway.durable import when_durable
from ivr.gateway.journal_records import AnswerRecord, CallRecord, EndedRecord
from ivr.gateway.media_messages import KeyHeard
from ivr.journal import Position
from ivr.media.key_merger import KeyMerger, Way

log = structlog.get_logger("call")


class Platform(Protocol):
    """What a call needs of the outside, bound to its one leg."""

    def play(self, attempt: int, prompts: tuple[str, ...], language: str) -> None:
        """Play prompts one after another."""

    def stop(self, attempt: int) -> None:
        """Stop what plays."""

    def hang_up(self) -> None:
        """Send BYE."""

    def append(self, payload: bytes, *, last_words: bool) -> "Future[Position]":
        """Write to the journal; the future is done when it is durable."""

    def say_last(self, ended: EndedRecord) -> None:
        """Write the end of the call, now or when the journal takes it."""

    def release(self) -> None:
        """Give ports and tables back; the call is over."""


@dataclass(frozen=True, slots=True)
class _Press:
    key: str
    at: float
    evidence: dict[str, object]


class Call:
    """The state of one call between its answer and its one outcome."""

    def __init__(self, record: CallRecord, engine: Engine, platform: Platform, *, language: str | None) -> None:
        """`record` is already written; `language` is the contact's, None if its token names none."""
        self.id = record.id
        self._record = record
        self._engine = engine
        self._platform = platform
        self._language = language
        self._loop = asyncio.get_running_loop()
        self._timers: dict[tuple[Timer, int], asyncio.TimerHandle] = {}
        self._merger = KeyMerger()
        self._press: _Press | None = None
        self._ended_by: str | None = None
        self._log = log.bind(call=record.id[:8])

    def start(self) -> None:
        """The leg is established (ACK): let the flow begin."""
        self.handle(Answered(self._language))

    def key_heard(self, event: KeyHeard) -> None:
        """A key from RTP."""
        evidence: dict[str, object] = {
            "way": event.way,
            "prompt": event.prompt,
            "position_ms": event.position_ms,
            "ssrc": event.ssrc,
            "rtp_timestamp": event.rtp_timestamp,
        }
        self._key(event.key, event.way, evidence, event.received_at)

    def key_signalled(self, key: str, milliseconds: int | None) -> None:
        """A key from SIP INFO."""
        self._key(key, "info", {"way": "info", "milliseconds": milliseconds}, self._loop.time())

    def _key(self, key: str, way: Way, evidence: dict[str, object], at: float) -> None:
        if not self._merger.accept(key, way, at):
            return
        self._press = _Press(key, at, evidence)
        self.handle(KeyPressed(key))
        figures.note(figures.KEYS, 1, way)
        self._log.info("key", key=key, way=way, prompt=evidence.get("prompt"))

    def hung_up(self, by: str) -> None:
        """The leg is gone, or is being taken down by something other than the flow."""
        self._ended_by = self._ended_by or by
        self.handle(HungUp(by))

    def handle(self, event: Event) -> None:
        """Give the engine one event and do what it asks."""
        for action in self._engine.handle(event):
            self._perform(action)

    def _perform(self, action: Action) -> None:
        match action:
            case Play():
                self._log.info("prompt", prompts=" ".join(action.prompts), language=action.language)
                self._platform.play(action.attempt, action.prompts, action.language)
            case StopPrompt():
                self._platform.stop(action.attempt)
                if self._press is not None:
                    figures.note(figures.STOPPED, self._loop.time() - self._press.at)
            case StartTimer():
                self._start_timer(action)
            case CancelTimer():
                self._cancel_timer(action.timer, action.attempt)
            case StoreAnswer():
                self._store(action)
            case Record() | StopRecording():
                # A node refuses a flow that records at start-up; this keeps no caller waiting were one to slip in.
                self._loop.call_soon(self.handle, RecordingFailed(action.attempt))
            case HangUp():
                self._ended_by = self._ended_by or "service"
                self._platform.hang_up()
            case End():
                self._end(action.outcome)

    def _start_timer(self, action: StartTimer) -> None:
        self._cancel_timer(action.timer, action.attempt)
        fired = TimerFired(action.timer, action.attempt)
        self._timers[action.timer, action.attempt] = self._loop.call_later(action.seconds, self._fire, fired)

    def _fire(self, fired: TimerFired) -> None:
        self._timers.pop((fired.timer, fired.attempt), None)
        self.handle(fired)

    def _cancel_timer(self, timer: Timer, attempt: int) -> None:
        handle = self._timers.pop((timer, attempt), None)
        if handle is not None:
            handle.cancel()

    def play_finished(self, attempt: int) -> None:
        """The media process played a sequence to its end."""
        self.handle(PromptFinished(attempt))

    def play_failed(self, attempt: int, reason: str) -> None:
        """A prompt could not be played; the flow decides what that means."""
        self._log.warning("prompt failed", reason=reason)
        self.handle(PromptFailed(attempt))

    def _store(self, action: StoreAnswer) -> None:
        press = self._press
        evidence = press.evidence if press is not None and action.key.endswith(press.key) else {}
        record = AnswerRecord(self.id, action.question, action.answer, action.key, utc_now(), evidence)
        stored = self._platform.append(record.payload(), last_words=False)
        when_durable(stored, lambda fault: self._stored(action, fault))

    def _stored(self, action: StoreAnswer, fault: BaseException | None) -> None:
        if fault is None:
            if self._press is not None:
                figures.note(figures.DURABLE, self._loop.time() - self._press.at)
            self._log.info("answer stored", question=action.question, answer=action.answer)
            self.handle(AnswerStored(action.attempt))
        else:
            figures.note(figures.UNSTORED, 1)
            self._log.error("answer not stored", question=action.question, fault=str(fault))
            self.handle(AnswerNotStored(action.attempt))

    def _end(self, outcome: str) -> None:
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        by = self._ended_by or "service"
        ended = EndedRecord(self.id, utc_now(), by, outcome, self._engine.attempts)
        self._platform.say_last(ended)
        figures.note(figures.CALLS, 1, outcome)
        seconds = (ended.ended_at - self._record.answered_at).total_seconds()
        self._log.info("ended", outcome=outcome, by=by, seconds=round(seconds, 1))
        self._platform.release()


def utc_now() -> datetime:
    """The clock at this edge."""
    return datetime.now(UTC)
