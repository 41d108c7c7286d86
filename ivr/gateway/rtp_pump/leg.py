"""One call's stream in the media process: what it plays, what it has heard, and from whom it may hear.

Only the address of the SDP is listened to, whatever port of it speaks; nothing is ever learnt from a packet
and nothing is sent anywhere but to the SDP's address. One packet is one key, so one moment of trust in a
stranger would be an invented press.
"""

import contextlib
import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from ivr.gateway.media_messages import LegStatistics
from ivr.gateway.rtp_pump import kernel_filter
from ivr.gateway.rtp_pump.ports import PortPair
from ivr.gateway.rtp_pump.prompt_frames import Playlist
from ivr.gateway.rtp_pump.sender import RtpSender
from ivr.media import rtcp, rtp
from ivr.media.errors import MalformedPacket
from ivr.media.g711 import FRAME_SAMPLES
from ivr.media.parameters import MediaParameters
from ivr.media.telephone_event import TelephoneEvents


@dataclass(frozen=True, slots=True)
class Press:
    """A key and its identity in the stream."""

    key: str
    ssrc: int
    rtp_timestamp: int


@dataclass(slots=True)
class _Counts:
    """What came; see LegStatistics."""

    shown: int = 0
    asymmetric: int = 0
    foreign: int = 0
    malformed: int = 0
    events: int = 0
    keys: int = 0


class RtpLeg:
    """State of one leg. `identity`: ten random octets for its stream. Times are CLOCK_MONOTONIC in seconds."""

    def __init__(self, number: int, pair: PortPair, parameters: MediaParameters, identity: bytes, now: float) -> None:
        self.number = number
        self.pair = pair
        self.sender = RtpSender(pair.rtp.send, identity)
        self.attempt = 0
        self.language = ""
        self.playlist: Playlist | None = None
        self.late_frames = self.skipped_frames = 0
        self.report_at = now + rtcp.report_interval(self.sender.ssrc, 0)
        self._reports = 0
        self._events = TelephoneEvents()
        self._counts = _Counts()
        self._heard_at = now
        self._silence_told = False
        self._dropped_before = kernel_filter.dropped(pair.rtp), kernel_filter.dropped(pair.strays)
        self._dropped = self._dropped_before
        self._take(parameters)

    @property
    def sends(self) -> bool:
        """Whether frames are due: not on hold, and the other side's address is known."""
        return self.parameters.send and self.remote is not None

    def update(self, parameters: MediaParameters, now: float) -> None:
        """Take new parameters from the next frame on; after a hold the wait for media begins anew."""
        self.pair.show_events(parameters.event_payload_type)
        self._take(parameters)
        self._heard_at = now

    def _take(self, parameters: MediaParameters) -> None:
        self.parameters = parameters
        self.remote = _remote_host(parameters)
        self.sender.encode_as(parameters.codec, parameters.payload_type)
        if self.remote is not None:
            # a host that cannot be reached shows in the statistics; its silence will end the call
            with contextlib.suppress(OSError):
                self.pair.rtp.connect((self.remote, parameters.remote_port))

    def play(self, attempt: int, playlist: Playlist, language: str) -> None:
        """Play from the next frame on, instead of what plays now."""
        self.attempt, self.playlist, self.language = attempt, playlist, language
        self.sender.play(playlist.frames)

    def change_law(self, playlist: Playlist) -> None:
        """Go on at the same place in the same prompts, encoded by another law."""
        self.playlist, self.sender.frames = playlist, playlist.frames

    def stop(self) -> None:
        """Be silent from the next frame on."""
        self.playlist = None
        self.sender.stop()

    def place(self) -> tuple[str | None, int]:
        """Which prompt plays and how many milliseconds of it were sent."""
        return self.playlist.place(self.sender.position) if self.playlist is not None else (None, 0)

    def hear(self, data: bytes, via: socket.socket, host: str, now: float) -> Press | None:
        """Take one RTP packet that came from `host` to the socket `via`; a press if it is the first of one."""
        if via is self.pair.strays:
            self.pair.filter_strays()
        if host != self.remote:
            self._counts.foreign += 1
            return None
        self._heard(now)
        self._counts.shown += 1
        self._counts.asymmetric += via is self.pair.strays
        try:
            packet = rtp.parse(data)
            if packet.payload_type != self.parameters.event_payload_type:
                return None
            self._counts.events += 1
            key = self._events.accept(packet)
        except MalformedPacket:
            self._counts.malformed += 1
            return None
        if key is None:
            return None
        self._counts.keys += 1
        self.pair.hide_press(via, packet)
        return Press(key, packet.ssrc, packet.timestamp)

    def hear_report(self, data: bytes, host: str, now: float) -> bool:
        """Take one RTCP packet; whether the other side says BYE."""
        if host != self.remote:
            self._counts.foreign += 1
            return False
        self._heard(now)
        try:
            return any(isinstance(part, rtcp.Bye) for part in rtcp.parse(data))
        except MalformedPacket:
            self._counts.malformed += 1
            return False

    def _heard(self, now: float) -> None:
        self._heard_at = now
        self._silence_told = False

    def silent_for(self, now: float, limit: float) -> float | None:
        """How long nothing has come, told once when it passes `limit` seconds and media is expected.

        What the filter kept from us counts as heard: mostly that is all there is.
        """
        dropped = kernel_filter.dropped(self.pair.rtp), kernel_filter.dropped(self.pair.strays)
        if dropped != self._dropped:
            self._dropped = dropped
            self._heard(now)
        expected = self.parameters.receive and self.parameters.send and self.remote is not None
        silent = now - self._heard_at
        if not expected or silent < limit or self._silence_told:
            return None
        self._silence_told = True
        return silent

    def report(self, now: float, wall: float, media_time: int, cname: str) -> None:
        """Send the sender report that is due and set the time of the next."""
        self._reports += 1
        self.report_at = now + rtcp.report_interval(self.sender.ssrc, self._reports)
        if self.sends and self.sender.packets:
            self._send_report(rtcp.report(self._summary(wall, media_time), cname))

    def leave(self, wall: float, media_time: int, cname: str) -> None:
        """Say BYE; one who never sent anything says nothing (RFC 3550, 6.3.7)."""
        if self.remote is not None and self.sender.packets:
            self._send_report(rtcp.farewell(self._summary(wall, media_time), cname))

    def _summary(self, wall: float, media_time: int) -> rtcp.SenderReport:
        sender = self.sender
        timestamp = sender.timestamp(media_time)
        return rtcp.SenderReport(sender.ssrc, wall, timestamp, sender.packets, sender.packets * FRAME_SAMPLES)

    def _send_report(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.pair.rtcp.sendto(data, (self.remote, self.parameters.remote_rtcp_port))

    def statistics(self) -> LegStatistics:
        """What the stream came to so far."""
        counts = self._counts
        kept = kernel_filter.dropped(self.pair.rtp) - self._dropped_before[0]
        if counts.asymmetric:
            kept += kernel_filter.dropped(self.pair.strays) - self._dropped_before[1]
        return LegStatistics(
            sent=self.sender.packets,
            received=counts.shown + kept,
            foreign=counts.foreign,
            malformed=counts.malformed,
            events=counts.events,
            keys=counts.keys,
            late_frames=self.late_frames,
            skipped_frames=self.skipped_frames,
            unsent_frames=self.sender.unsent,
        )


def _remote_host(parameters: MediaParameters) -> str | None:
    """The address to send to, None if there is no port."""
    return _sendable(parameters.remote_address) if parameters.remote_port else None


@lru_cache(maxsize=4096)
def _sendable(text: str) -> str | None:
    """An address as `recvfrom` writes it.

    None for a group's address, for 0.0.0.0 (old-style hold), and for a name: nothing is looked up here.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if address.is_multicast or address.is_unspecified else str(address)
