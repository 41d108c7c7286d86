"""A phone's RTP: sends A-law silence every 20 ms and telephone-events, and writes down which prompt it hears when."""

import socket
import struct
import threading
import time
from dataclasses import dataclass

import numpy as np
from outside import tones

FRAME = 160
SILENCE = b"\xd5" * FRAME
KEYS = "0123456789*#ABCD"


def _a_law_table() -> np.ndarray:
    """ITU-T G.711 table 1a, written out from its definition: 8 segments, 16 steps."""
    octets = np.arange(256) ^ 0x55
    step, segment = octets & 0x0F, (octets >> 4) & 7
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(octets & 0x80, magnitude, -magnitude)


A_LAW = _a_law_table()


@dataclass(slots=True)
class Heard:
    """A run of frames of one prompt, without a pause in it."""

    language: str
    prompt: str
    frames: int
    began: float


class Audio:
    """RTP and, one port above, RTCP; runs from `start` to `close` in a thread of its own."""

    def __init__(self, host: str, *, event_type: int = 101, sends: bool = True) -> None:
        """Binds an even port."""
        self.host = host
        self.event_type = event_type
        self.sends = sends
        self._sock, self._rtcp = _pair(host)
        self.port: int = self._sock.getsockname()[1]
        self.remote: tuple[str, int] | None = None
        self.heard: list[Heard] = []
        self.packets = 0
        self.arrivals: list[float] = []
        self.farewell = False
        self.said_at: dict[str, float] = {}
        self.pause = False
        self._ssrc = int.from_bytes(np.random.default_rng().bytes(4), "big")
        self._sequence = 1
        self._timestamp = 8000
        self._lock = threading.Lock()
        self._running = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send_all, self._hear_all)]

    def start(self, remote: tuple[str, int]) -> None:
        """Send to where the SDP says, and listen."""
        self.remote = remote
        if not self._running.is_set():
            self._running.set()
            for thread in self._threads:
                thread.start()

    def press(self, key: str, *, milliseconds: int = 100, packets_of_end: int = 3) -> None:
        """One key by RFC 4733: updates every 20 ms under one timestamp, the end three times; returns at the press."""
        with self._lock:
            timestamp, first = self._timestamp, True
        self.said_at[key] = time.monotonic()
        count = max(1, milliseconds // 20)
        for number in range(1, count + 1):
            self._event(key, timestamp, number * FRAME, marker=first, end=False)
            first = False
        for _ in range(packets_of_end):
            self._event(key, timestamp, count * FRAME, marker=False, end=True)

    def _event(self, key: str, timestamp: int, duration: int, *, marker: bool, end: bool) -> None:
        payload = struct.pack("!BBH", KEYS.index(key), (0x80 if end else 0) | 10, duration)
        self.packet(payload, self.event_type | (0x80 if marker else 0), timestamp)

    def packet(self, payload: bytes, kind: int, timestamp: int) -> None:
        """Send one RTP packet of this stream."""
        with self._lock:
            head = struct.pack("!BBHII", 0x80, kind, self._sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self._ssrc)
            self._sequence += 1
        assert self.remote is not None
        self._sock.sendto(head + payload, self.remote)

    def _send_all(self) -> None:
        due = time.monotonic()
        while self._running.is_set():
            if self.sends:
                try:
                    self.packet(SILENCE, 8, self._timestamp)
                except OSError:
                    return
            with self._lock:
                self._timestamp += FRAME
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def _hear_all(self) -> None:
        while self._running.is_set():
            try:
                data = self._sock.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            self._take(data, time.monotonic())

    def _take(self, data: bytes, now: float) -> None:
        self.packets += 1
        self.arrivals.append(now)
        if data[1] & 0x7F != 8 or len(data) != 12 + FRAME:
            return
        found = tones.heard(A_LAW[np.frombuffer(data, np.uint8, offset=12)])
        if found is None:
            self.pause = True
            return
        if self.heard and not self.pause and (self.heard[-1].language, self.heard[-1].prompt) == found:
            self.heard[-1].frames += 1
        else:
            self.heard.append(Heard(*found, 1, now))
        self.pause = False

    @property
    def prompts(self) -> list[str]:
        """What was heard, in order; a frame at the join of two prompts may sound like neither."""
        return [each.prompt for each in self.heard if each.frames > 1]

    def said_farewell(self) -> bool:
        """Whether an RTCP BYE has arrived (RFC 3550 6.6)."""
        self._rtcp.settimeout(0.05)
        while not self.farewell:
            try:
                data = self._rtcp.recv(2048)
            except TimeoutError:
                break
            while len(data) >= 4:
                self.farewell |= data[1] == 203
                data = data[4 * (1 + int.from_bytes(data[2:4], "big")) :]
        return self.farewell

    def close(self) -> None:
        """Stop and give the ports back."""
        self._running.clear()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(1)
        self._sock.close()
        self._rtcp.close()


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        rtp, rtcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        try:
            rtp.bind((host, 0))
            port = rtp.getsockname()[1]
            if port % 2 == 0:
                rtcp.bind((host, port + 1))
                rtp.settimeout(0.1)
                return rtp, rtcp
        except OSError:
            pass
        rtp.close()
        rtcp.close()
    raise AssertionError("no even RTP port is free")
