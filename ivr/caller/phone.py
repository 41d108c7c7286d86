"""pyVoIP in trunk mode: no registrar, ephemeral ports, telephone-events, and its traps closed. The only importer of it.

What is pyVoIP's stays pyVoIP's: its SIP parser and messages, its SDP, its call states, its RTP numbering and its
codec. Replaced is what would make it deaf or hang: it waits for ever for a 180, acknowledges with an invented To tag,
sends A-law calls µ-law bytes, loses its receiving thread to one stray datagram, and cannot press a key.
"""

import re
import socket
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, cast
from uuid import uuid4

import pyVoIP.VoIP.VoIP  # noqa: F401  its modules import one another: only from this end does it work
from pyVoIP.RTP import PayloadType, RTPClient, RTPMessage, TransmitType
from pyVoIP.SIP import SIPClient, SIPMessage, SIPMessageType
from pyVoIP.VoIP.VoIP import CallState, VoIPCall, VoIPPhone

from ivr.caller.hearing import Hearing
from ivr.caller.keys import FRAME_SAMPLES, EventPacket, event_packets, tones
from ivr.media import g711
from ivr.media.parameters import Codec

POLL_SECONDS = 0.05
TIMER_T1_SECONDS = 0.5  # RFC 3261 17.1.1.1

_Codecs = dict[int, PayloadType]
_Media = dict[int, dict[str, PayloadType]]  # pyVoIP says str and means int

_CODECS: dict[PayloadType, Codec] = {PayloadType.PCMA: "PCMA", PayloadType.PCMU: "PCMU"}
_AUDIO = {8: PayloadType.PCMA, 0: PayloadType.PCMU}
_EVENTS = {101: PayloadType.EVENT}


@dataclass(frozen=True, slots=True)
class Progress:
    """Something the other side said: a status of our INVITE or BYE, or a BYE of its own (method BYE, status 0)."""

    method: str
    status: int
    phrase: str
    at: float


class TrunkClient(SIPClient):
    """pyVoIP's SIP client without REGISTER, listening in one thread that nothing it hears can kill."""

    def start(self) -> None:
        """Bind to a free port and listen."""
        self.NSD = True
        self.s = self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((self.myIP, 0))
        self.myPort = self.s.getsockname()[1]
        self.s.settimeout(POLL_SECONDS)
        self.progress: deque[Progress] = deque()
        self._listener = Thread(target=self.recv_loop, name="caller-sip")
        self._listener.start()

    def stop(self) -> None:
        """Stop listening."""
        if not self.NSD:
            return
        self.NSD = False
        self._listener.join()
        self.s.close()

    def recv_loop(self) -> None:
        """Hear only the called server, and outlive whatever it says."""
        while self.NSD:
            try:
                data, source = self.s.recvfrom(65535)
            except OSError:  # the timeout, or a port unreachable that the retransmission will meet again
                continue
            if source[0] != self.server:
                continue
            try:
                self.parse_message(SIPMessage(data))
            except Exception as error:  # noqa: BLE001  pyVoIP's parser raises anything
                self.progress.append(Progress("", 0, f"a message pyVoIP cannot read: {error!r}", time.monotonic()))

    def parse_message(self, message: SIPMessage) -> None:
        """Sort by transaction: pyVoIP takes the 200 of a BYE or CANCEL for an answered call."""
        if message.type == SIPMessageType.MESSAGE:
            super().parse_message(message)
            if message.method == "BYE":
                self.progress.append(Progress("BYE", 0, "", time.monotonic()))
            return
        method, status = message.headers["CSeq"]["method"], int(message.status)
        if method == "INVITE" and 200 <= status < 300:
            self.phone.callback(message)
        elif method == "INVITE" and status >= 300:
            self.out.sendto(self.gen_ack(message).encode(), (self.server, self.port))
        self.progress.append(Progress(method, status, message.status.phrase, time.monotonic()))

    def gen_call_id(self) -> str:
        """Never the same twice: pyVoIP's own is a hash of a counter that starts at 1 in every process."""
        return f"{uuid4().hex}@{self.myIP}"

    def invite(self, number: str, ms: _Media, sendtype: TransmitType) -> tuple[SIPMessage, str, int]:
        """Make the INVITE; pyVoIP's own sends it and then waits, deaf to a refusal, for 100, 180 or 401."""
        call_id, session = self.gen_call_id(), self.sessID.next()
        text = self.gen_invite(number, str(session), ms, sendtype, self.gen_branch(), call_id)
        return SIPMessage(text.encode()), call_id, session

    def gen_ack(self, request: SIPMessage) -> str:
        """Acknowledge with the To tag of the answer (RFC 3261 13.2.2.4, 17.1.1.3)."""
        headers, accepted = request.headers, 200 <= int(request.status) < 300
        target = _uri(headers["Contact"] if accepted else headers["To"]["raw"])
        branch = self.gen_branch() if accepted else headers["Via"][0]["branch"]
        to = headers["To"]["raw"] + (f";tag={headers['To']['tag']}" if headers["To"]["tag"] else "")
        return (
            f"ACK {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.myIP}:{self.myPort};branch={branch}\r\n"
            "Max-Forwards: 70\r\n"
            f"From: {headers['From']['raw']};tag={headers['From']['tag']}\r\n"
            f"To: {to}\r\n"
            f"Call-ID: {headers['Call-ID']}\r\n"
            f"CSeq: {headers['CSeq']['check']} ACK\r\n"
            "Content-Length: 0\r\n\r\n"
        )

    def gen_bye(self, request: SIPMessage) -> str:
        """A BYE with a branch of its own."""
        text: str = super().gen_bye(request)
        return re.sub(r"branch=[^;\r]+", f"branch={self.gen_branch()}", text, count=1)

    def gen_ok(self, request: SIPMessage) -> str:
        """A 200 that keeps the dialog's tag."""
        text: str = super().gen_ok(request)
        to = request.headers["To"]
        return re.sub(r"To: .*\r\n", lambda _: f"To: {to['raw']};tag={to['tag']}\r\n", text, count=1)

    def bye(self, request: SIPMessage) -> None:
        """Send it and keep it for `resend`."""
        self.last_request = self.gen_bye(request)
        self.resend()

    def cancel(self, invite: SIPMessage) -> None:
        """Give up an INVITE that nobody answers (RFC 3261 9.1: same branch, same CSeq number)."""
        lines = invite.raw.decode().split("\r\n")
        kept = [line for line in lines[1:] if line.split(":")[0] in ("Via", "Max-Forwards", "To", "From", "Call-ID")]
        first = lines[0].replace("INVITE", "CANCEL", 1)
        last = [f"CSeq: {invite.headers['CSeq']['check']} CANCEL", "Content-Length: 0", "", ""]
        self.last_request = "\r\n".join([first, *kept, *last])
        self.resend()

    def resend(self) -> None:
        """Send the last request again."""
        self.out.sendto(self.last_request.encode(), (self.server, self.port))


class Line(RTPClient):
    """pyVoIP's RTP with a steady clock, ears only for the called server, and a way to press keys in its stream."""

    def __init__(self, rtp_socket: socket.socket, hearing: Hearing, codecs: _Codecs, remote: tuple[str, int]) -> None:
        """`codecs`: payload types of the answer; `remote`: address and port of its SDP."""
        address, port = rtp_socket.getsockname()
        super().__init__(codecs, address, port, remote[0], remote[1], TransmitType.SENDRECV)
        self._socket = rtp_socket
        self._hearing = hearing
        self._events: deque[EventPacket] = deque()
        self._event_timestamp = 0
        self.pressed_at: list[float] = []  # monotonic seconds, one for each press that has begun
        self.event_type = next((number for number, kind in self.assoc.items() if kind is PayloadType.EVENT), None)

    def start(self) -> None:
        """Take the socket that was bound before the INVITE named its port."""
        self.sin = self.sout = self._socket
        self._threads = [Thread(target=work, name=f"caller-rtp-{work.__name__}") for work in (self.recv, self.trans)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both threads, then close."""
        self.NSD = False
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def press(self, key: str) -> None:
        """Send a telephone-event within the next 20 ms."""
        self._events.extend(event_packets(key))

    def press_in_band(self, key: str) -> None:
        """Send the two tones through pyVoIP's audio."""
        self.write(tones(key))
        self.pressed_at.append(time.monotonic())

    def recv(self) -> None:
        """Hear sound from the address in the answer and from nowhere else."""
        self._socket.settimeout(POLL_SECONDS)
        while self.NSD:
            try:
                packet, source = self._socket.recvfrom(8192)
            except OSError:
                continue
            if source == (self.outIP, self.outPort) and len(packet) >= 12:
                self.parse_packet(packet)

    def parse_packet(self, packet: bytes) -> None:
        """Decode to 16 bits by the codec of the packet itself."""
        message = RTPMessage(packet, self.assoc)
        codec = _CODECS.get(message.payload_type)
        if codec is not None:
            self._hearing.hear(message.timestamp, g711.decode(message.payload, codec), time.monotonic())

    def encode_packet(self, payload: bytes) -> bytes:
        """Encode by the codec that was agreed on."""
        encode = self.encode_pcma if self.preference is PayloadType.PCMA else self.encode_pcmu
        return encode(payload)

    def trans(self) -> None:
        """A packet every 20 ms by absolute deadlines: an event's while a key is down, else sound."""
        due = time.monotonic()
        while self.NSD:
            event = self._events.popleft() if self._events else None
            packet = self._audio_packet() if event is None else self._event_packet(event)
            with suppress(OSError):  # the other side may close its port before its BYE arrives
                self._socket.sendto(packet, (self.outIP, self.outPort))
            if event is not None and event.marker:
                self.pressed_at.append(time.monotonic())
            self.outTimestamp += FRAME_SAMPLES
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def _audio_packet(self) -> bytes:
        payload = self.encode_packet(self.pmout.read())
        return self._packet(int(self.preference), self.outTimestamp, payload, marker=False)

    def _event_packet(self, event: EventPacket) -> bytes:
        if event.marker:
            self._event_timestamp = self.outTimestamp
        return self._packet(self.event_type or 0, self._event_timestamp, event.payload, marker=event.marker)

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> bytes:
        self.outSequence = (self.outSequence + 1) & 0xFFFF
        second = marker << 7 | payload_type
        return struct.pack("!BBHII", 0x80, second, self.outSequence, timestamp & 0xFFFFFFFF, self.outSSRC) + payload


class TrunkCall(VoIPCall):
    """A call of pyVoIP's whose one RTP client is a `Line` on a socket that is already ours."""

    def __init__(
        self, phone: "TrunkPhone", invite: SIPMessage, session: int, *, rtp_socket: socket.socket, hearing: Hearing
    ) -> None:
        port = rtp_socket.getsockname()[1]
        super().__init__(
            phone,
            CallState.DIALING,
            invite,
            session,
            phone.myIP,
            ms={port: PayloadType.UNKNOWN},
            sendmode=phone.sendmode,
        )
        self._rtp_socket = rtp_socket
        self._hearing = hearing

    @property
    def line(self) -> Line:
        """Its RTP, once it was answered."""
        return cast("Line", self.RTPClients[0])

    def create_rtp_clients(self, codecs: _Codecs, ip: str, port: int, request: SIPMessage, baseport: int) -> None:  # noqa: ARG002  pyVoIP's signature
        """One line to the address of the answer's SDP."""
        remote = (request.body["c"][0]["address"], baseport)
        self.RTPClients.append(Line(self._rtp_socket, self._hearing, codecs, remote))

    @property
    def answered_now(self) -> bool:
        """Whether the call is up."""
        return self.state is CallState.ANSWERED

    def give_up(self) -> None:
        """Close what an unanswered call had opened."""
        if not self.RTPClients:
            self._rtp_socket.close()


class TrunkPhone(VoIPPhone):
    """A phone that calls one server over UDP and IPv4 without being registered anywhere."""

    def __init__(self, server: str, port: int, caller: str) -> None:
        super().__init__(server, port, caller, "", myIP=_own_address(server, port))
        self.trunk = TrunkClient(server, port, caller, "", phone=self, myIP=self.myIP, callCallback=self.callback)
        self.sip = self.trunk

    def dial(self, number: str, hearing: Hearing, *, in_band: bool) -> TrunkCall:
        """Send an INVITE to `number`; PCMA first, and no telephone-event where the tones are to be heard."""
        rtp_socket = _bind_even(self.myIP)
        port = rtp_socket.getsockname()[1]
        self.assignedPorts.append(port)  # pyVoIP gives it back when the call is forgotten
        media: _Media = {port: cast("Any", _AUDIO if in_band else _AUDIO | _EVENTS)}
        invite, call_id, session = self.trunk.invite(number, media, TransmitType.SENDRECV)
        call = TrunkCall(self, invite, session, rtp_socket=rtp_socket, hearing=hearing)
        self.calls[call_id] = call
        self.trunk.last_request = invite.raw.decode()
        self.trunk.resend()
        return call


def _uri(name_address: str) -> str:
    found = re.search(r"<([^>]*)>", name_address)
    return found[1] if found else name_address


def _own_address(server: str, port: int) -> str:
    """The address this machine shows to the server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((server, port))
        return cast("str", probe.getsockname()[0])


def _bind_even(address: str) -> socket.socket:
    """A socket on a free even port, as RTP wants it (RFC 3550 11)."""
    while True:
        candidate = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        candidate.bind((address, 0))
        if candidate.getsockname()[1] % 2 == 0:
            return candidate
        candidate.close()
