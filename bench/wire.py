"""What packets on the wire tell of calls: who called, who was answered when, which key, when the prompt stopped.

Takes packets in order with their times; it reads no socket.
"""

import re
from dataclasses import dataclass, field

from bench.percentiles import percentiles
from bench.sound import EVENT_PAYLOAD_TYPE, FRAME_SECONDS

Packet = tuple[float, bytes]
"""When the kernel saw it (Unix time), and its octets from the IP header on."""

RTP_HEADER = 12
SHOWN = 8
"""So many octets of a frame tell the prompts apart and both from silence."""
_CALL_ID = re.compile(rb"^Call-ID: *(\S+)", re.MULTILINE | re.IGNORECASE)
_AUDIO_PORT = re.compile(rb"^m=audio (\d+) ", re.MULTILINE)
_KEY_PORT = re.compile(rb"^a=x-key-from-audio:(\d+)", re.MULTILINE)
_CSEQ_INVITE = re.compile(rb"^CSeq: *\d+ +INVITE", re.MULTILINE | re.IGNORECASE)


@dataclass(slots=True)
class CallSeen:
    """One call, as the wire shows it; times are Unix seconds."""

    call_id: str
    invited_at: float
    invites: int = 1
    answered_at: float | None = None
    status: int | None = None
    keys: list[str] = field(default_factory=list)
    pressed_at: float | None = None
    stopped_at: float | None = None
    thanked_at: float | None = None


@dataclass(slots=True)
class Stream:
    """The RTP to one caller that is watched."""

    call: CallSeen
    at: float = 0.0
    sequence: int = -1
    frame: bytes = b""
    gaps: list[tuple[float, float]] = field(default_factory=list)
    missing: int = 0


class View:
    """All calls seen so far."""

    def __init__(self, sip_port: int, media_ports: range) -> None:
        """`media_ports` are where callers hear and where their keys come from."""
        self._sip_port = sip_port
        self._media_ports = media_ports
        self.calls: dict[str, CallSeen] = {}
        self.streams: list[Stream] = []
        # the latest call by the service's port in its 200, and by the port its key will come from
        self._hearing: dict[int, CallSeen] = {}
        self._pressing: dict[int, CallSeen] = {}
        self._by_ssrc: dict[bytes, Stream] = {}
        self._events: dict[int, bytes] = {}

    def take(self, at: float, packet: bytes) -> None:
        """Take one IPv4 packet with a UDP datagram in it."""
        udp = packet[(packet[0] & 0xF) * 4 :]
        source, target = int.from_bytes(udp[:2], "big"), int.from_bytes(udp[2:4], "big")
        payload = udp[8:]
        if self._sip_port in (source, target):
            self._sip(at, payload)
        elif source in self._media_ports:
            self._event(at, source, payload)
        elif target in self._media_ports:
            self._rtp(at, source, payload)

    def _sip(self, at: float, message: bytes) -> None:
        named = _CALL_ID.search(message)
        if named is None:
            return
        call_id = named[1].decode("latin-1")
        if message.startswith(b"INVITE "):
            self._invited(at, call_id, message)
        elif message.startswith(b"SIP/2.0 ") and _CSEQ_INVITE.search(message):
            call, status = self.calls.get(call_id), int(message[8:11])
            if call is not None and call.answered_at is None and status >= 200:
                call.answered_at, call.status = at, status
                self._answered(call, message)

    def _answered(self, call: CallSeen, message: bytes) -> None:
        audio = _AUDIO_PORT.search(message)
        if audio is not None:
            self._hearing[int(audio[1])] = call

    def _invited(self, at: float, call_id: str, message: bytes) -> None:
        if call_id in self.calls:
            self.calls[call_id].invites += 1
            return
        call = self.calls[call_id] = CallSeen(call_id, at)
        key = _KEY_PORT.search(message)
        if key is not None:
            self._pressing[int(key[1])] = call

    def _event(self, at: float, port: int, packet: bytes) -> None:
        call = self._pressing.get(port)
        if call is None or len(packet) < RTP_HEADER + 4 or packet[1] & 0x7F != EVENT_PAYLOAD_TYPE:
            return
        identity = packet[4:13]  # timestamp, SSRC, event: RFC 4733 2.5.1.2
        if self._events.get(port) == identity and call.keys:
            return
        self._events[port] = identity
        call.keys.append("0123456789*#ABCD"[packet[12]])
        call.pressed_at = call.pressed_at or at

    def _rtp(self, at: float, port: int, packet: bytes) -> None:
        ssrc, frame = packet[8:12], packet[RTP_HEADER : RTP_HEADER + SHOWN]
        stream = self._by_ssrc.get(ssrc)
        if stream is None:
            if port not in self._hearing:
                return
            stream = self._by_ssrc[ssrc] = Stream(self._hearing[port])
            self.streams.append(stream)
        sequence, call = int.from_bytes(packet[2:4], "big"), stream.call
        if stream.sequence >= 0:
            if sequence == (stream.sequence + 1) & 0xFFFF:
                stream.gaps.append((at, abs(at - stream.at - FRAME_SECONDS)))
            else:
                stream.missing += 1
        if call.pressed_at is not None:
            self._after_press(call, stream.frame, frame, at)
        if call.pressed_at is None or call.stopped_at is None:
            stream.frame = frame
        stream.at, stream.sequence = at, sequence

    def _after_press(self, call: CallSeen, before: bytes, frame: bytes, at: float) -> None:
        """The first frame that is not the question's is the stop; the first that is sound again is the thanks."""
        if call.stopped_at is None and frame != before:
            call.stopped_at = at
        if call.stopped_at is not None and call.thanked_at is None and frame != before and len(set(frame)) > 1:
            call.thanked_at = at

    def report(self, begin: float, end: float) -> dict[str, object]:
        """Figures of the calls that began in the window, and every call's keys for comparison with the store."""
        calls = [call for call in self.calls.values() if begin <= call.invited_at < end]
        answers = [call.answered_at - call.invited_at for call in calls if call.answered_at and call.status == 200]
        gaps = [gap for stream in self.streams for at, gap in stream.gaps if begin <= at < end]
        watched = [stream.call for stream in self.streams if begin <= stream.call.invited_at < end]
        pressed = [call for call in watched if call.pressed_at is not None]
        return {
            "calls": len(self.calls),
            "calls_in_window": len(calls),
            "invite_retransmissions": sum(call.invites - 1 for call in self.calls.values()),
            "answer_ms": percentiles(answers),
            "streams_watched": len(self.streams),
            "packets_watched": len(gaps),
            "packets_missing": sum(stream.missing for stream in self.streams),
            "deviation_ms": percentiles(gaps),
            "worst_stream_p99_ms": self._worst(begin, end),
            "press_to_stop_ms": percentiles([c.stopped_at - c.pressed_at for c in pressed if c.stopped_at]),
            "press_to_thanks_ms": percentiles([c.thanked_at - c.pressed_at for c in pressed if c.thanked_at]),
            "keys": {call.call_id: "".join(call.keys) for call in self.calls.values()},
        }

    def _worst(self, begin: float, end: float) -> float | None:
        """The 99th percentile of the stream whose is the highest, among those of at least three seconds."""
        by_stream = ([gap for at, gap in stream.gaps if begin <= at < end] for stream in self.streams)
        worst = [percentiles(gaps)["p99"] for gaps in by_stream if len(gaps) >= 150]
        return max((value for value in worst if value is not None), default=None)
