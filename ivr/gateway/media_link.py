"""The node's end of the media process: starts it, speaks to it from asyncio, says when it is lost.

Nothing here waits for the media process inside a call: orders are queued, answers arrive as events.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from ivr.gateway.media_messages import (
    LARGEST_MESSAGE,
    BeginService,
    CloseLeg,
    Command,
    Configure,
    LoadPrompt,
    MediaEvent,
    Opened,
    OpenLeg,
    PlayPrompts,
    PumpLost,
    Ready,
    Refused,
    StopPrompts,
    UpdateLeg,
    decode,
    encode,
)
from ivr.media.parameters import MediaParameters

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 10.0
OPEN_SECONDS = 2.0
END_SECONDS = 3.0
HANG_SECONDS = 15.0
"""Figures come every 5 s; a media process that says nothing for so long is not alive."""

log = structlog.get_logger("media")


class MediaUnavailable(Exception):
    """No media for this call, with the reason as a sentence: answer 503 (or refuse to start)."""


class _Outgoing:
    """One socket towards the media process; what it does not take now waits."""

    def __init__(self, link: socket.socket, on_error: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._on_error = on_error
        self._waiting: deque[bytes] = deque()

    def send(self, command: Command) -> None:
        """Send in order, without waiting."""
        if self._link.fileno() < 0:
            return
        self._waiting.append(encode(command))
        if len(self._waiting) == 1 and not self._flush():
            self._loop.add_writer(self._link, self._room)

    def _room(self) -> None:
        if self._flush() and self._link.fileno() >= 0:
            self._loop.remove_writer(self._link)

    def _flush(self) -> bool:
        """Send what waits; False if there is no room for all of it now."""
        try:
            while self._waiting:
                self._link.send(self._waiting[0])
                self._waiting.popleft()
        except BlockingIOError:
            return False
        except OSError as error:
            self._on_error(f"the media process does not listen: {error.strerror}")
        return True

    def close(self) -> None:
        """Let go of the socket."""
        if self._link.fileno() >= 0:
            self._loop.remove_writer(self._link)
            self._link.close()


class MediaLink:
    """One media process, seen from the event loop that started it.

    `on_event` is called in that loop, in the order the media process spoke. After `PumpLost` the link is dead:
    start another. `unreadable` lists (language, prompt, reason) of recordings that could not be loaded.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        link: socket.socket,
        orders: socket.socket,
        on_event: Callable[[MediaEvent], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._link = link
        self._calls = _Outgoing(link, self._lose)
        # read by the media process just before it sends, without waking it: nothing there can show any earlier
        self._orders = _Outgoing(orders, self._lose)
        self._on_event = on_event
        self._opening: dict[int, asyncio.Future[int]] = {}
        self._ready: asyncio.Future[Ready] = self._loop.create_future()
        self._lost: str | None = None
        self._closing = False
        self._spoke_at = self._loop.time()
        self._watch = self._loop.call_later(HANG_SECONDS, self._look)
        self.unreadable: tuple[tuple[str, str, str], ...] = ()
        self.real_time = False
        self._loop.add_reader(link, self._read)

    @classmethod
    async def start(
        cls,
        *,
        prompts: Mapping[tuple[str, str], Path],
        rtp_ports: tuple[int, int],
        media_timeout_seconds: float,
        on_event: Callable[[MediaEvent], None],
        cname: str = "pingjia",
    ) -> "MediaLink":
        """Start the process and wait until its clock runs and the prompts ((language, id) -> WAV) are encoded.

        Raises MediaUnavailable if it does not come up within 10 s.
        """
        link, their_link = _socket_pair()
        orders, their_orders = _socket_pair()
        with their_link, their_orders:
            process = _spawn(their_link, their_orders)
        media = cls(process, link, orders, on_event)
        first, last = rtp_ports
        media._calls.send(Configure(first, last, media_timeout_seconds, cname))
        for (language, prompt), path in prompts.items():
            media._calls.send(LoadPrompt(language, prompt, str(path)))
        media._calls.send(BeginService())
        try:
            ready = await asyncio.wait_for(asyncio.shield(media._ready), START_SECONDS)
        except (TimeoutError, MediaUnavailable) as error:
            await media.shut_down()
            raise MediaUnavailable(f"the media process did not start: {error or 'no answer'}") from error
        media.unreadable, media.real_time = ready.unreadable, ready.real_time
        if not ready.real_time:
            log.warning(
                "the media clock runs without real-time priority",
                effect="uneven sound when the machine is busy",
                remedy="LimitRTPRIO=10 in the unit, or CAP_SYS_NICE",
            )
        return media

    async def open(self, leg: int, parameters: MediaParameters) -> int:
        """Bind ports for a new leg and start its stream; its even RTP port. Raises MediaUnavailable."""
        if self._lost is not None:
            raise MediaUnavailable(self._lost)
        answer: asyncio.Future[int] = self._loop.create_future()
        self._opening[leg] = answer
        self._calls.send(OpenLeg(leg, parameters))
        # asyncio's own wait_for costs as much as all the rest of this
        too_late = self._loop.call_later(OPEN_SECONDS, self._give_up_opening, leg)
        try:
            return await answer
        except asyncio.CancelledError:
            self._calls.send(CloseLeg(leg))
            raise
        finally:
            too_late.cancel()
            self._opening.pop(leg, None)

    def _give_up_opening(self, leg: int) -> None:
        self._calls.send(CloseLeg(leg))  # behind its opening, should that still be done
        self._answer(leg, 0, f"the media process gave no port within {OPEN_SECONDS:g} s")

    def update(self, leg: int, parameters: MediaParameters) -> None:
        """Give a leg new parameters (hold, codec, address); they hold from the next frame on."""
        self._orders.send(UpdateLeg(leg, parameters))

    def play(self, leg: int, attempt: int, prompts: tuple[str, ...], language: str) -> None:
        """Play recordings one after another; ends in PlayFinished or PlayFailed, unless stopped or replaced."""
        self._orders.send(PlayPrompts(leg, attempt, prompts, language))

    def stop(self, leg: int, attempt: int) -> None:
        """Fall silent with the next frame, if this attempt still plays."""
        self._orders.send(StopPrompts(leg, attempt))

    def close(self, leg: int) -> None:
        """End a leg; `LegClosed` follows."""
        self._orders.send(CloseLeg(leg))

    @property
    def pid(self) -> int:
        """The media process."""
        return self._process.pid

    async def shut_down(self) -> None:
        """End the process and wait for its end; no event comes any more."""
        self._closing = True
        self._disconnect()
        waiting = self._loop.run_in_executor(None, self._process.wait, END_SECONDS)
        try:
            await waiting
        except subprocess.TimeoutExpired:
            self._process.kill()
            await self._loop.run_in_executor(None, self._process.wait)

    def _read(self) -> None:
        try:
            datagram = self._link.recv(LARGEST_MESSAGE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"the media process is gone: {error.strerror}")
            return
        if not datagram:
            self._lose("the media process ended")
            return
        self._spoke_at = self._loop.time()
        self._take(datagram)

    def _look(self) -> None:
        """End a media process that hangs: its callers hear nothing any more."""
        silent = self._loop.time() - self._spoke_at
        if silent < HANG_SECONDS:
            self._watch = self._loop.call_later(HANG_SECONDS - silent, self._look)
            return
        self._process.kill()
        self._lose(f"the media process said nothing for {silent:.0f} s")

    def _take(self, datagram: bytes) -> None:
        match decode(datagram):
            case Ready() as ready:
                if not self._ready.done():
                    self._ready.set_result(ready)
            case Opened(leg, port):
                self._answer(leg, port, None)
            case Refused(leg, reason):
                self._answer(leg, 0, reason)
            case event:
                if not self._closing:
                    self._on_event(event)  # type: ignore[arg-type]  # the media process sends no commands

    def _answer(self, leg: int, port: int, reason: str | None) -> None:
        answer = self._opening.get(leg)
        if answer is None or answer.done():
            return
        if reason is None:
            answer.set_result(port)
        else:
            answer.set_exception(MediaUnavailable(reason))

    def _lose(self, reason: str) -> None:
        self._disconnect()
        if self._lost is not None or self._closing:
            return
        code = self._process.poll()
        self._lost = reason if code is None else f"{reason} (exit status {code})"
        started = self._ready.done()
        waiting: list[asyncio.Future[Ready] | asyncio.Future[int]] = [self._ready, *self._opening.values()]
        for answer in waiting:
            if not answer.done():
                answer.set_exception(MediaUnavailable(self._lost))
        if started:
            self._on_event(PumpLost(self._lost))

    def _disconnect(self) -> None:
        self._watch.cancel()
        if self._link.fileno() >= 0:
            self._loop.remove_reader(self._link)
        self._calls.close()
        self._orders.close()


def _socket_pair() -> tuple[socket.socket, socket.socket]:
    """Our end, which never blocks, and theirs. Datagrams in order, with an end one can notice."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs


def _spawn(*theirs: socket.socket) -> subprocess.Popen[bytes]:
    """Start the pump with its ends of the link; it ends when they do, however this process dies."""
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH"))))
    descriptors = tuple(each.fileno() for each in theirs)
    return subprocess.Popen(
        [sys.executable, "-m", "ivr.gateway.rtp_pump", *map(str, descriptors)],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        env=environment,
    )
