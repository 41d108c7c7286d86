"""One call's stream in the media process: what it sends next, what it has heard, and from whom it may hear.

Only the address of the SDP is listened to, whatever port of it speaks; nothing is ever learnt from a packet
and nothing is sent anywhere but to the SDP's address. One packet is one key, so one moment of trust in a
stranger would be an invented press.
"""

import contextlib
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from ivr.gateway import kernel_filter
from ivr.gateway.media_messages import LegStatistics
from ivr.gateway.prompt_frames import Playlist
from ivr.gateway.rtp_ports import PortPair
from ivr.media import rtcp, rtp
from ivr.media.errors import MalformedPacket
from ivr.media.g711 import FRAME_SAMPLES, SILENCE
from ivr.media.parameters import MediaParameters
from ivr.media.telephone_event import TelephoneEvents

LARGEST_PACKET = 2048


@dataclass(frozen=True, slots=True)
class Press:
    """A key and its identity in the stream."""

    key: str
    ssrc: int
    rtp_timestamp: int


class RtpLeg:
    """State of one leg. The clock's loop reads and writes the first group of attributes directly, for speed.

    `identity`: ten random octets, from which SSRC, first sequence number and timestamp are taken (RFC 3550, 5.1).
    """

    __slots__ = (
        "_dropped", "_events", "_first_sequence", "_heard_at", "_pair", "_reports", "_silence_told",
        "attempt", "counts", "end", "frames", "kind", "language", "number", "offset", "parameters", "playlist",
        "position", "remote", "report_at", "send", "sequence", "silence", "ssrc",
    )  # fmt: skip

    def __init__(self, number: int, pair: PortPair, parameters: MediaParameters, identity: bytes, now: float) -> None:
        self.number = number
        self.ssrc = int.from_bytes(identity[:4], "big")
        self.offset = int.from_bytes(identity[4:8], "big")
        self.sequence = self._first_sequence = int.from_bytes(identity[8:10], "big")
        self.send = pair.rtp.send
        self.frames: list[bytes] | None = None
        self.position = self.end = 0
        self.playlist: Playlist | None = None
        self.attempt = 0
        self.language = ""
        self.counts = dict.fromkeys(("foreign", "malformed", "events", "keys", "shown", "late", "skipped", "unsent"), 0)
        self._pair = pair
        self._events = TelephoneEvents()
        self._heard_at = now
        self._silence_told = False
        self._dropped = 0
        self._reports = 0
        self.report_at = now + rtcp.report_interval(self.ssrc, 0)
        self._take(parameters)

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket, socket.socket]:
        """RTP from the SDP's very address and port, RTP from elsewhere, RTCP."""
        return self._pair.rtp, self._pair.strays, self._pair.rtcp

    @property
    def pair(self) -> PortPair:
        """What has to be given back at the end."""
        return self._pair

    @property
    def sends(self) -> bool:
        """Whether frames are due: not on hold, and the other side's address is known."""
        return self.parameters.send and self.remote is not None

    def update(self, parameters: MediaParameters, now: float) -> None:
        """Take new parameters from the next frame on; after a hold the wait for media begins anew."""
        if parameters.event_payload_type != self.parameters.event_payload_type:
            for each in (self._pair.rtp, self._pair.strays):
                kernel_filter.attach(each, parameters.event_payload_type)
        self._take(parameters)
        self._heard_at = now

    def _take(self, parameters: MediaParameters) -> None:
        self.parameters = parameters
        self.remote = _remote_host(parameters)
        self.kind = parameters.payload_type | rtp.MARKER
        self.silence = SILENCE[parameters.codec] * FRAME_SAMPLES
        if self.remote is not None:
            # a host that cannot be reached shows in `unsent`; the call's own timers end such a call
            with contextlib.suppress(OSError):
                self._pair.rtp.connect((self.remote, parameters.remote_port))

    def play(self, attempt: int, playlist: Playlist, language: str) -> None:
        """Play from the next frame on, instead of what plays now."""
        self.attempt, self.playlist, self.language = attempt, playlist, language
        self.frames, self.position, self.end = playlist.frames, 0, len(playlist.frames)
        self.mark()

    def change_law(self, playlist: Playlist) -> None:
        """Go on at the same place in the same prompts, encoded by another law."""
        self.playlist, self.frames = playlist, playlist.frames

    def stop(self) -> None:
        """Be silent from the next frame on."""
        self.frames = self.playlist = None

    def mark(self) -> None:
        """Set the marker bit of the next packet: a talkspurt begins (RFC 3551, 4.1)."""
        self.kind |= rtp.MARKER

    def place(self) -> tuple[str | None, int]:
        """Which prompt plays and how many milliseconds of it were sent."""
        return self.playlist.place(self.position) if self.playlist is not None else (None, 0)

    def hear(self, data: bytes, host: str, now: float) -> Press | None:
        """Take one RTP packet from `host`; a press if it is the first packet of one."""
        if host != self.remote:
            self.counts["foreign"] += 1
            return None
        self._heard(now)
        self.counts["shown"] += 1
        try:
            packet = rtp.parse(data)
            if packet.payload_type != self.parameters.event_payload_type:
                return None
            self.counts["events"] += 1
            key = self._events.accept(packet)
        except MalformedPacket:
            self.counts["malformed"] += 1
            return None
        if key is None:
            return None
        self.counts["keys"] += 1
        return Press(key, packet.ssrc, packet.timestamp)

    def hear_report(self, data: bytes, host: str, now: float) -> bool:
        """Take one RTCP packet; whether the other side says BYE."""
        if host != self.remote:
            self.counts["foreign"] += 1
            return False
        self._heard(now)
        try:
            return any(isinstance(part, rtcp.Bye) for part in rtcp.parse(data))
        except MalformedPacket:
            self.counts["malformed"] += 1
            return False

    def _heard(self, now: float) -> None:
        self._heard_at = now
        self._silence_told = False

    def silent_for(self, now: float, limit: float) -> float | None:
        """How long nothing has come, told once when it passes `limit` seconds and media is expected.

        What the filter kept from us counts as heard: a stream with gaps may never hit the sample.
        """
        dropped = kernel_filter.dropped(self._pair.rtp) + kernel_filter.dropped(self._pair.strays)
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
        self.report_at = now + rtcp.report_interval(self.ssrc, self._reports)
        if self.sends and self.packets:
            self._send_report(rtcp.report(self._sender(wall, media_time), cname))

    def leave(self, wall: float, media_time: int, cname: str) -> None:
        """Say BYE; one who never sent anything says nothing (RFC 3550, 6.3.7)."""
        if self.remote is not None and self.packets:
            self._send_report(rtcp.farewell(self._sender(wall, media_time), cname))

    def _sender(self, wall: float, media_time: int) -> rtcp.SenderReport:
        timestamp = (self.offset + media_time) & 0xFFFFFFFF
        return rtcp.SenderReport(self.ssrc, wall, timestamp, self.packets, self.packets * FRAME_SAMPLES)

    def _send_report(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._pair.rtcp.sendto(data, (self.remote, self.parameters.remote_rtcp_port))

    @property
    def packets(self) -> int:
        """How many frames were sent."""
        return self.sequence - self._first_sequence - self.counts["unsent"]

    def statistics(self) -> LegStatistics:
        """What the stream came to so far."""
        counts = self.counts
        return LegStatistics(
            sent=self.packets,
            received=counts["shown"] + kernel_filter.dropped(self._pair.rtp),
            foreign=counts["foreign"],
            malformed=counts["malformed"],
            events=counts["events"],
            keys=counts["keys"],
            late_frames=counts["late"],
            skipped_frames=counts["skipped"],
            unsent_frames=counts["unsent"],
        )


def _remote_host(parameters: MediaParameters) -> str | None:
    """The address to send to, as `recvfrom` writes it.

    None for no port, a group's address, 0.0.0.0 (old-style hold), or a name: nothing is looked up here.
    """
    try:
        address = ip_address(parameters.remote_address)
    except ValueError:
        return None
    if not parameters.remote_port:
        return None
    return None if address.is_multicast or address.is_unspecified else str(address)
