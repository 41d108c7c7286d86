"""The pump: one thread that sends every leg's frame on time and listens in between.

Nothing here may wait for anything but the clock: no disk, no database, no log file, and the node is told
what happened through a socket that never blocks. The process ends when the node's end of that socket does.
"""

import contextlib
import gc
import os
import select
import socket
import time
from collections.abc import Callable
from functools import partial

from ivr.gateway.media_messages import (
    LARGEST_MESSAGE,
    CloseLeg,
    Configure,
    KeyHeard,
    LegClosed,
    MediaSilent,
    Opened,
    OpenLeg,
    PeerLeft,
    PlayFailed,
    PlayFinished,
    PlayPrompts,
    Ready,
    Refused,
    StopPrompts,
    UpdateLeg,
    decode,
)
from ivr.gateway.rtp_pump.clock import PERIOD_NS, RtpClock, Slot, Turn
from ivr.gateway.rtp_pump.figures import LatenessFigures
from ivr.gateway.rtp_pump.leg import RtpLeg
from ivr.gateway.rtp_pump.outbox import Outbox
from ivr.gateway.rtp_pump.ports import LARGEST_PACKET, NoPort, RtpPorts
from ivr.gateway.rtp_pump.prompt_frames import PromptFrames
from ivr.media.errors import UnusableRecording
from ivr.media.parameters import MediaParameters

IDLE_SECONDS = 1.0
ORDERS_AT_ONCE = 256
READ_AT_ONCE = 64
LATE_NS = 5_000_000
CHECK_PERIODS = 50
FIGURES_SECONDS = 5.0
COLLECT_EVERY = 12


class RtpPump:
    """All legs of a node, their clock, their sockets and the link to the node.

    `link` wakes the pump: legs to open come there, and everything is told there. `orders` is read just before
    each turn, because what comes there (play, stop, hold, close) shows in the next frame at the earliest.
    """

    def __init__(self, link: socket.socket, orders: socket.socket, settings: Configure, prompts: PromptFrames) -> None:
        self._link = link
        self._orders = orders
        self._settings = settings
        self._prompts = prompts
        self._outbox = Outbox(link)
        self._ports = RtpPorts(settings.first_port, settings.last_port, start=int.from_bytes(os.urandom(2), "big"))
        self._clock = RtpClock(time.monotonic_ns())
        self._legs: dict[int, tuple[RtpLeg, Slot]] = {}
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], object]] = {link.fileno(): partial(self._read_orders, link, 1)}
        self._epoll.register(link, select.EPOLLIN)
        self._figures = LatenessFigures(time.monotonic())
        self._running = True

    def run(self, greeting: Ready) -> None:
        """Greet the node and serve until its end of the link is gone."""
        self._outbox.tell(greeting)
        while self._running:
            turn = self._clock.next_turn(time.monotonic_ns())
            if turn is None:
                self._outbox.tell_mentioned()
                self._listen(IDLE_SECONDS)
            elif self._wait(turn.due_ns):
                self._take_turn(turn)
            else:
                self._listen(0)
            self._outbox.flush()
            self._tell_figures()
        for number in list(self._legs):
            self._close(number)

    def _wait(self, due_ns: int) -> bool:
        """Wait for the moment; False if something is to be heard before it."""
        gap = due_ns - time.monotonic_ns()
        # epoll's own timeout counts whole milliseconds, select's does not
        return gap <= 0 or not select.select((self._epoll,), (), (), gap / 1e9)[0]

    def _take_turn(self, turn: Turn) -> None:
        self._read_orders(self._orders, ORDERS_AT_ONCE)
        slot, now_ns = turn.slot, time.monotonic_ns()
        late_ns = now_ns - turn.due_ns
        if late_ns >= PERIOD_NS:
            # stalled while waiting: the clock leaves this turn out
            return
        skipped = slot.skip_to(turn.period)
        finished = slot.send(turn.period)
        self._figures.count(late_ns, len(slot.senders), skipped * len(slot.senders))
        if late_ns > LATE_NS:
            for sender in slot.senders:
                slot.legs[sender].late_frames += 1
        for leg in finished:
            leg.stop()
            self._outbox.tell(PlayFinished(leg.number, leg.attempt))
        if turn.period % CHECK_PERIODS == 0:
            self._look_after(slot, now_ns)
            self._outbox.tell_mentioned()
        self._clock.done(turn)

    def _look_after(self, slot: Slot, now_ns: int) -> None:
        """Send the reports that are due and notice legs gone silent."""
        now = now_ns / 1e9
        for leg in slot.legs.values():
            if now >= leg.report_at:
                leg.report(now, time.time(), self._clock.media_time(slot, now_ns), self._settings.cname)
            silent = leg.silent_for(now, self._settings.media_timeout_seconds)
            if silent is not None:
                self._outbox.tell(MediaSilent(leg.number, round(silent, 3)))

    def _listen(self, seconds: float) -> None:
        for descriptor, _ in self._epoll.poll(seconds, READ_AT_ONCE):
            self._readers[descriptor]()

    def _read_rtp(self, leg: RtpLeg, rtp: socket.socket) -> None:
        try:
            data, source = rtp.recvfrom(LARGEST_PACKET)
        except OSError:
            # nothing there any more, or the other side's port is closed (ICMP): its silence will tell
            return
        now = time.monotonic()
        press = leg.hear(data, rtp, source[0], now)
        if press is not None:
            self._figures.keys += 1
            prompt, position_ms = leg.place()
            self._outbox.tell(
                KeyHeard(leg.number, press.key, "rfc4733", press.ssrc, press.rtp_timestamp, now, prompt, position_ms)
            )

    def _read_rtcp(self, leg: RtpLeg, rtcp: socket.socket) -> None:
        try:
            data, source = rtcp.recvfrom(LARGEST_PACKET)
        except OSError:
            return
        if leg.hear_report(data, source[0], time.monotonic()):
            self._outbox.tell(PeerLeft(leg.number))

    def _read_orders(self, link: socket.socket, count: int) -> None:
        for _ in range(count):
            try:
                datagram = link.recv(LARGEST_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                datagram = b""
            if not datagram:
                self._running = False
                return
            self._obey(datagram)

    def _obey(self, datagram: bytes) -> None:
        match decode(datagram):
            case OpenLeg(number, parameters):
                try:
                    self._open(number, parameters)
                except (NoPort, ValueError) as error:
                    self._outbox.tell(Refused(number, str(error)))
            case UpdateLeg(number, parameters) if number in self._legs:
                self._update(*self._legs[number], parameters)
            case PlayPrompts(number, attempt, prompts, language) if number in self._legs:
                self._play(self._legs[number][0], attempt, prompts, language)
            case StopPrompts(number, attempt) if number in self._legs:
                leg = self._legs[number][0]
                if leg.attempt == attempt:
                    leg.stop()
            case CloseLeg(number) if number in self._legs:
                self._close(number)
            case _:
                # for a leg that is closed already: the node had not heard of it when it spoke
                return

    def _open(self, number: int, parameters: MediaParameters) -> None:
        if number in self._legs:
            raise NoPort(f"leg {number} is open already")
        now_ns = time.monotonic_ns()
        pair, fresh = self._ports.open(parameters.local_address, parameters.event_payload_type, now_ns / 1e9)
        leg = RtpLeg(number, pair, parameters, os.urandom(10), now_ns / 1e9)
        self._legs[number] = (leg, self._clock.place(leg, now_ns))
        for each, reader in ((pair.rtp, self._read_rtp), (pair.strays, self._read_rtp), (pair.rtcp, self._read_rtcp)):
            self._readers[each.fileno()] = partial(reader, leg, each)
            if fresh:
                self._epoll.register(each, select.EPOLLIN)
        self._outbox.tell(Opened(number, pair.port))

    def _update(self, leg: RtpLeg, slot: Slot, parameters: MediaParameters) -> None:
        leg.update(parameters, time.monotonic())
        if leg.playlist is not None:
            leg.change_law(self._prompts.playlist(parameters.codec, leg.language, leg.playlist.prompts))
        slot.hold(leg)

    def _play(self, leg: RtpLeg, attempt: int, prompts: tuple[str, ...], language: str) -> None:
        try:
            playlist = self._prompts.playlist(leg.parameters.codec, language, prompts)
        except UnusableRecording as error:
            leg.stop()
            self._outbox.tell(PlayFailed(leg.number, attempt, str(error)))
            return
        leg.play(attempt, playlist, language)

    def _close(self, number: int) -> None:
        leg, slot = self._legs.pop(number)
        slot.remove(leg)
        now_ns = time.monotonic_ns()
        leg.leave(time.time(), self._clock.media_time(slot, now_ns), self._settings.cname)
        for each in leg.pair.sockets:
            self._readers[each.fileno()] = partial(forget, each)
        self._ports.give_back(leg.pair, now_ns / 1e9)
        self._outbox.mention(LegClosed(number, leg.statistics()))

    def _tell_figures(self) -> None:
        now = time.monotonic()
        if now < self._figures.began + FIGURES_SECONDS:
            return
        figures = self._figures.conclude(now, len(self._legs), self._outbox.lost)
        if not self._outbox.waiting:
            self._outbox.tell(figures)
        if self._figures.number % COLLECT_EVERY == 0:
            # nothing here makes cycles in the ordinary course; what an exception left goes now, not in a burst
            gc.collect()


def forget(resting: socket.socket) -> None:
    """Take a packet of a call that is over."""
    with contextlib.suppress(OSError):
        resting.recv(LARGEST_PACKET)
