"""One dialog and its media, from the INVITE to the last packet, and the call that lives on it once answered.

The steps of answering: SDP agreed, media open, call record durable, 200 sent. A leg that ends in between is
undone and leaves no answered call behind.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import structlog

from ivr.flow.engine import Engine
from ivr.flow.model import Flow
from ivr.gateway import figures
from ivr.gateway.admission import Admitted
from ivr.gateway.call import Call, utc_now
from ivr.gateway.durable import append_to, durable
from ivr.gateway.journal_records import CallRecord, EndedRecord
from ivr.gateway.last_words import LastWords
from ivr.gateway.media_link import MediaLink, MediaUnavailable
from ivr.gateway.media_messages import KeyHeard
from ivr.gateway.media_session import MediaSession
from ivr.gateway.sip_trunk import SipTrunk
from ivr.journal import Journal, JournalError, Position
from ivr.media.parameters import MediaParameters
from ivr.sip.effects import EndedBy, Offered
from ivr.sip.errors import MalformedDescription, NotAcceptable
from ivr.sip.user_agent_server import UserAgentServer
from store.privacy import FieldCipher

log = structlog.get_logger("call")

Headers = Sequence[tuple[str, str]]
WARN_INCOMPATIBLE_MEDIA = 304  # RFC 3261 20.43: media type not available
NONCE_BYTES = 12
_ENDED_BY = {
    EndedBy.CALLER: "caller",
    EndedBy.SERVICE: "service",
    EndedBy.CANCELLED: "caller",
    EndedBy.NO_ACK: "no_ack",
    EndedBy.TRANSPORT: "transport",
}


@dataclass(slots=True)
class Node:
    """What all legs of a node share."""

    name: str
    core: UserAgentServer
    trunk: SipTrunk
    media: MediaLink
    journal: Journal
    last_words: LastWords
    cipher: FieldCipher
    media_address: str | None  # None: our own address as the peer sees it

    def refuse(self, dialog: str, status: int, headers: Headers = (), reason: str | None = None) -> None:
        """Answer an INVITE with a final error."""
        figures.note(figures.REFUSED, 1, str(status))
        now = asyncio.get_running_loop().time()
        self.trunk.perform(self.core.refuse(dialog, status, now, headers, reason))


@dataclass(frozen=True, slots=True)
class CallStart:
    """All that is known of a call before it is answered."""

    offered: Offered
    admitted: Admitted
    flow: Flow
    engine: Engine
    received_at: datetime
    received_monotonic: float


class Leg:
    """Answers one INVITE and carries one call."""

    def __init__(self, node: Node, start: CallStart, number: int, *, on_released: Callable[["Leg"], None]) -> None:
        """`number` is the media process's name for this leg; `on_released` is told when nothing is left of it."""
        self.number = number
        self._node = node
        self._start = start
        self._dialog = start.offered.call
        self._on_released = on_released
        self._loop = asyncio.get_running_loop()
        local = node.media_address or start.offered.peer.local_host
        self._session = MediaSession(local, number)
        self._call: Call | None = None
        self._media: MediaLink | None = None
        self._gone = False

    async def answer(self) -> None:
        """Go through the steps of answering; refuse with the status that says which step failed."""
        try:
            parameters = self._session.begin(self._start.offered.offer)
        except NotAcceptable as fault:
            self._refuse(488, (("Warning", f'{WARN_INCOMPATIBLE_MEDIA} pingjia "{fault}"'),))
            return
        except MalformedDescription as fault:
            self._refuse(400, (), f"Bad SDP: {fault}")
            return
        media = self._node.media
        try:
            port = await media.open(self.number, parameters)
        except MediaUnavailable as fault:
            log.error("no media", reason=str(fault))
            self._refuse(503, (("Retry-After", "10"),))
            return
        self._media = media
        if self._gone:
            self.release()
        else:
            await self._take_call(self._session.describe(port))

    async def _take_call(self, body: bytes) -> None:
        record = self._record()
        await self._write(record.payload())
        if self._gone:
            self._abandon(record)
        else:
            self._accept(record, body)

    def _record(self) -> CallRecord:
        start, flow = self._start, self._start.flow
        id_ = str(uuid4())
        reading = start.admitted.reading
        return CallRecord(
            id=id_,
            call_id=start.offered.invite.call_id,
            node=self._node.name,
            flow=flow.name,
            flow_version=flow.version,
            language=start.engine.language if reading.language not in flow.languages else reading.language,
            started_at=start.received_at,
            answered_at=utc_now(),
            match=reading.match.value,
            contact=reading.contact,
            caller=self._seal(start.admitted.caller, id_),
            trunk=start.offered.peer.host,
        )

    def _seal(self, caller: str | None, id_: str) -> bytes | None:
        """Encrypt the caller's number before it is written anywhere, bound to this call's row."""
        if caller is None:
            return None
        return self._node.cipher.seal(caller, context=id_.encode(), nonce=os.urandom(NONCE_BYTES))

    async def _write(self, payload: bytes) -> None:
        """Make the call record durable; a journal that refuses even that is the flow's matter, not the ringing's."""
        try:
            await durable(self.append(payload, last_words=True))
        except JournalError as fault:
            log.error("call record not written", fault=str(fault))

    def _abandon(self, record: CallRecord) -> None:
        """CANCEL overtook the answer: the record is closed as of a call that was never answered."""
        ended = EndedRecord(record.id, utc_now(), "cancelled", "hung_up", 0)
        self._node.last_words.say(ended)
        self.release()

    def _accept(self, record: CallRecord, body: bytes) -> None:
        self._call = Call(record, self._start.engine, self, language=self._start.admitted.reading.language)
        now = self._loop.time()
        figures.note(figures.ANSWER, now - self._start.received_monotonic)
        self._node.trunk.perform(self._node.core.accept(self._dialog, body, now))
        log.info("answered", call=record.id[:8], match=record.match, call_id=record.call_id)

    def _refuse(self, status: int, headers: Headers = (), reason: str | None = None) -> None:
        if not self._gone:
            log.info("refused", status=status, reason=reason or dict(headers).get("Warning"))
            self._node.refuse(self._dialog, status, headers, reason)
        self.release()

    # --- what SIP reports

    def established(self, answer: bytes | None) -> None:
        """The ACK is here; with a late offer it brought the other side's media."""
        if self._start.offered.offer is None:
            try:
                self._update(self._session.settle(answer))
            except (NotAcceptable, MalformedDescription) as fault:
                log.info("late offer failed", reason=str(fault))
                self.taken_down("service")
                return
        if self._call is not None:
            self._call.start()

    def change_offered(self, offer: bytes | None) -> None:
        """A re-INVITE or UPDATE: answer what can be agreed; otherwise 488 and the session stays as it was."""
        core, now = self._node.core, self._loop.time()
        try:
            body, parameters = (self._session.offer_again(), None) if offer is None else self._session.change(offer)
        except NotAcceptable:
            effects = core.refuse_change(self._dialog, 488, now)
        except MalformedDescription:
            effects = core.refuse_change(self._dialog, 400, now)
        else:
            if parameters is not None:
                self._update(parameters)
            effects = core.accept_change(self._dialog, body, now)
        self._node.trunk.perform(effects)

    def change_answered(self, answer: bytes | None) -> None:
        """The answer to the offer in our 200 to a re-INVITE; none leaves the session as it was."""
        if answer is None:
            return
        try:
            self._update(self._session.settle(answer))
        except (NotAcceptable, MalformedDescription) as fault:
            log.info("answer to our offer refused", reason=str(fault))

    def _update(self, parameters: MediaParameters) -> None:
        if self._media is not None:
            self._media.update(self.number, parameters)

    def ended(self, by: EndedBy) -> None:
        """The dialog is over, whoever ended it."""
        self._gone = True
        if self._call is None:
            return  # not answered yet; the coroutine that is answering sees it
        self._call.hung_up(_ENDED_BY[by])

    # --- what the media process reports

    def key_heard(self, event: KeyHeard) -> None:
        """A key from RTP."""
        if self._call is not None:
            self._call.key_heard(event)

    def key_signalled(self, key: str, milliseconds: int | None) -> None:
        """A key from INFO."""
        if self._call is not None:
            self._call.key_signalled(key, milliseconds)

    def play_finished(self, attempt: int) -> None:
        """A sequence of prompts was played to its end."""
        if self._call is not None:
            self._call.play_finished(attempt)

    def play_failed(self, attempt: int, reason: str) -> None:
        """A sequence of prompts could not be played."""
        if self._call is not None:
            self._call.play_failed(attempt, reason)

    def taken_down(self, by: str) -> None:
        """End the call for a reason outside the flow: silence on the line, a lost media process, a node that stops."""
        if self._call is None:
            self._refuse(503)
            return
        self._call.hung_up(by)
        self.hang_up()

    # --- what the call asks for (call.Platform)

    def play(self, attempt: int, prompts: tuple[str, ...], language: str) -> None:
        """Play prompts one after another."""
        if self._media is not None:
            self._media.play(self.number, attempt, prompts, language)

    def stop(self, attempt: int) -> None:
        """Fall silent."""
        if self._media is not None:
            self._media.stop(self.number, attempt)

    def hang_up(self) -> None:
        """Send BYE, unless the dialog is over already."""
        if not self._gone:
            self._gone = True
            self._node.trunk.perform(self._node.core.hang_up(self._dialog, self._loop.time()))

    def append(self, payload: bytes, *, last_words: bool) -> "Future[Position]":
        """Write to the journal."""
        return append_to(self._node.journal, payload, reserve=last_words)

    def say_last(self, ended: EndedRecord) -> None:
        """Write the end of the call, later if the journal cannot take it now."""
        self._node.last_words.say(ended)

    def release(self) -> None:
        """Give the ports back, once; the dialog's own memory is the core's matter."""
        if self._media is not None:
            self._media.close(self.number)
            self._media = None
        self._call = None  # each knows the other: undone here, neither waits for the garbage collector
        self._on_released(self)
