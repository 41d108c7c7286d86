"""The sounds of the measured call, made here: two prompts that cannot be mistaken for each other, and what a
caller sends (A-law speech-like noise, a key in RFC 4733 packets) as captures that SIPp plays.

Every frame of a prompt is the same 20 ms, so one look at a packet tells which prompt it belongs to.
"""

import math
import random
import struct
import wave
from pathlib import Path

RATE = 8000
FRAME_SAMPLES = 160
FRAME_SECONDS = 0.02
ASK_SECONDS = 6.0
THANKS_SECONDS = 2.0
ASK_HERTZ = 1000
THANKS_HERTZ = 500
EVENT_PAYLOAD_TYPE = 101
EVENT_PACKETS = 8
END_PACKETS = 3
_PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def write_prompts(folder: Path) -> Path:
    """Write a prompts folder with `ask` (6 s) and `thanks` (2 s) and its catalogue; gives the folder."""
    (folder / "zh-CN").mkdir(parents=True)
    lines = ["prompts:"]
    for name, hertz, seconds in (("ask", ASK_HERTZ, ASK_SECONDS), ("thanks", THANKS_HERTZ, THANKS_SECONDS)):
        _write_tone(folder / "zh-CN" / f"{name}.wav", hertz, seconds)
        lines += [f"  {name}:", f"    tone: {{hertz: {hertz}, milliseconds: {round(seconds * 1000)}}}"]
        lines += [f"    zh-CN: {{text: {name}, source: generated}}"]
    (folder / "catalogue.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _write_tone(path: Path, hertz: int, seconds: float) -> None:
    samples = (round(9000 * math.sin(2 * math.pi * hertz * n / RATE + 0.3)) for n in range(round(seconds * RATE)))
    with wave.open(str(path), "wb") as recording:
        recording.setparams((1, 2, RATE, 0, "NONE", "NONE"))
        recording.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


def write_speech(path: Path) -> None:
    """Write ten seconds of A-law for SIPp to stream over and over; noise costs the line what speech does."""
    path.write_bytes(random.Random(1).randbytes(10 * RATE))


def write_key(path: Path, key: str) -> None:
    """Write a capture of one press of 160 ms: RFC 4733 packets, the last of them three times."""
    with path.open("wb") as capture:
        capture.write(_PCAP_HEADER)
        for n in range(EVENT_PACKETS):
            whole = _wrapped(_event(int(key), n))
            micros = round(n * FRAME_SECONDS * 1e6)
            capture.write(struct.pack("<IIII", 1, micros, len(whole), len(whole)) + whole)


def _event(event: int, n: int) -> bytes:
    """The n-th packet of a press (RFC 4733 2.5.1.2)."""
    ended = 0x80 if n >= EVENT_PACKETS - END_PACKETS else 0
    header = _rtp(n, 0, EVENT_PAYLOAD_TYPE | (0x80 if n == 0 else 0))
    return header + struct.pack("!BBH", event, ended | 10, (n + 1) * FRAME_SAMPLES)


def _rtp(sequence: int, timestamp: int, kind: int) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, sequence, timestamp, 0x50494E47)


def _wrapped(payload: bytes) -> bytes:
    """Ethernet, IPv4 and UDP around a packet; SIPp puts in its own addresses and checksums."""
    udp = struct.pack("!HHHH", 10000, 20000, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
    return bytes(12) + b"\x08\x00" + ip + udp
