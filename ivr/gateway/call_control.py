"""Call control of one node: brings SIP effects and media events to the call they belong to, and answers new calls.

An INVITE is answered only when its media is open and its call record is durable, so that no answered call is
without a row; a journal that is full is no reason to leave a caller ringing: the flow apologises.
"""

import asyncio
import contextlib
from itertools import count

import structlog

from ivr.flow.engine import Engine
from ivr.flow.model import Flow
from ivr.gateway import figures
from ivr.gateway.admission import Door, Refusal
from ivr.gateway.call import utc_now
from ivr.gateway.leg import CallStart, Leg, Node
from ivr.gateway.media_link import MediaLink
from ivr.gateway.media_messages import (
    KeyHeard,
    LegClosed,
    MediaEvent,
    MediaSilent,
    PeerLeft,
    PlayFailed,
    PlayFinished,
    PumpFigures,
    PumpLost,
)
from ivr.sip.effects import (
    ChangeAnswered,
    ChangeOffered,
    DigitSignalled,
    Effect,
    Ended,
    Established,
    Offered,
    Recorded,
)

log = structlog.get_logger("call")


class CallControl:
    """All legs of one node, by dialog and by the number the media process knows them by."""

    def __init__(self, node: Node, door: Door, flow: Flow, language: str | None) -> None:
        """`node`: what every leg shares; `door`: who is let in; `language`: for contacts that name none."""
        self._node = node
        self._door = door
        self._flow = flow
        self._language = language
        self._by_dialog: dict[str, Leg] = {}
        self._by_number: dict[int, Leg] = {}
        self._numbers = count(1)
        self._answering: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()

    @property
    def active(self) -> int:
        """Legs between their INVITE and the end of their media."""
        return len(self._by_dialog)

    async def idle(self, within_seconds: float) -> None:
        """Wait until no dialog is left and every call has its outcome, or so long."""
        self._idle.clear()
        if self._by_dialog or self._by_number:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), within_seconds)

    def _settle(self) -> None:
        if not self._by_dialog and not self._by_number:
            self._idle.set()

    def effect(self, effect: Effect) -> None:
        """Take what the user agent server reports."""
        match effect:
            case Offered():
                self._offered(effect)
            case Recorded():
                figures.note(figures.SIP_FAULTS, 1, effect.kind)
                log.debug("sip", kind=effect.kind, peer=effect.peer.host, detail=effect.detail)
            case Established() | ChangeOffered() | ChangeAnswered() | DigitSignalled() | Ended():
                leg = self._by_dialog.get(effect.call)
                if leg is not None:
                    self._of_leg(leg, effect)

    def _of_leg(self, leg: Leg, effect: Effect) -> None:
        match effect:
            case Established():
                leg.established(effect.answer)
            case ChangeOffered():
                leg.change_offered(effect.offer)
            case ChangeAnswered():
                leg.change_answered(effect.answer)
            case DigitSignalled():
                leg.key_signalled(effect.key, effect.milliseconds)
            case Ended():
                del self._by_dialog[effect.call]
                leg.ended(effect.by)
                self._settle()
            case _:
                pass

    def _offered(self, offered: Offered) -> None:
        decision = self._door.admit(offered.invite, utc_now())
        if isinstance(decision, Refusal):
            log.info("refused", status=decision.status, reason=decision.reason, peer=offered.peer.host)
            self._node.refuse(offered.call, decision.status, (), decision.reason)
            return
        loop = asyncio.get_running_loop()
        start = CallStart(offered, decision, self._flow, Engine(self._flow, self._language), utc_now(), loop.time())
        leg = Leg(self._node, start, next(self._numbers), on_released=self._released)
        self._by_dialog[offered.call] = self._by_number[leg.number] = leg
        figures.note(figures.ACTIVE, len(self._by_number))
        task = loop.create_task(leg.answer())
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def _released(self, leg: Leg) -> None:
        self._by_number.pop(leg.number, None)
        figures.note(figures.ACTIVE, len(self._by_number))
        self._settle()

    def media_event(self, event: MediaEvent) -> None:
        """Take what the media process reports."""
        match event:
            case PumpFigures():
                figures.note(figures.RTP_LATE, event.late_p99_ms)
                figures.note(figures.RTP_SKIPPED, event.skipped_frames)
            case PumpLost():
                self._pump_lost(event.reason)
            case LegClosed():
                figures.note(figures.RTP_FOREIGN, event.statistics.foreign)
            case KeyHeard() | PlayFinished() | PlayFailed() | MediaSilent() | PeerLeft():
                leg = self._by_number.get(event.leg)
                if leg is not None:
                    _media_of_leg(leg, event)

    def _pump_lost(self, reason: str) -> None:
        """Every leg's media is gone with its process: end them truthfully; the node starts another process."""
        log.error("media process lost", reason=reason, legs=len(self._by_number))
        for leg in list(self._by_number.values()):
            leg.taken_down("media")

    @property
    def media(self) -> MediaLink:
        """The media process in use."""
        return self._node.media

    def use_media(self, media: MediaLink) -> None:
        """From now on legs are opened at this media process."""
        self._node.media = media

    def take_down_all(self, by: str) -> None:
        """Hang up on everybody; what was answered stands."""
        for leg in list(self._by_dialog.values()):
            leg.taken_down(by)


def _media_of_leg(leg: Leg, event: KeyHeard | PlayFinished | PlayFailed | MediaSilent | PeerLeft) -> None:
    match event:
        case KeyHeard():
            leg.key_heard(event)
        case PlayFinished():
            leg.play_finished(event.attempt)
        case PlayFailed():
            leg.play_failed(event.attempt, event.reason)
        case MediaSilent():
            leg.taken_down("media")
        case PeerLeft():
            # RTCP BYE ends a stream, not a call: SIP's BYE follows, and if it does not, silence is noticed.
            log.debug("peer left the stream", leg=leg.number)
