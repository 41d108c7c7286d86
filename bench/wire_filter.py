"""Socket filters of the bench, in classic BPF: what the observer is shown, and a socket that is shown nothing."""

import ctypes
import socket
import struct

_ATTACH_FILTER = 26
_CODES = {
    "ldb [x+k]": 0x50, "ldh [x+k]": 0x48, "ldb [k]": 0x30, "ldh [k]": 0x28, "ldx ip header": 0xB1,
    "and": 0x54, "jeq": 0x15, "jge": 0x35, "ret": 0x06,
}  # fmt: skip

Line = tuple[str, str, int, str, str]
"""label, instruction, operand, label if true, label if false (both empty: go on)."""


def attach(sock: socket.socket, lines: list[Line]) -> None:
    """Give a socket a filter."""
    places = {label: number for number, (label, *_) in enumerate(lines) if label}

    def jump(number: int, label: str) -> int:
        return places[label] - number - 1 if label else 0

    program = b"".join(
        struct.pack("HBBI", _CODES[code], jump(number, true), jump(number, false), operand)
        for number, (_, code, operand, true, false) in enumerate(lines)
    )
    held = ctypes.create_string_buffer(program)
    sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", len(lines), ctypes.addressof(held)))


def nothing() -> list[Line]:
    """Drop every packet in the kernel."""
    return [("", "ret", 0, "", "")]


def watched(sip_port: int, media: tuple[int, int], one_in: int, event_payload_type: int) -> list[Line]:
    """Of IPv4 packets: all SIP, every telephone-event the callers send, the RTP to one caller in `one_in`.

    `media` is the callers' first port and how many there are. The service's port, two to a call, is what one in
    `one_in` (a power of two) are chosen by: SIPp lets several callers hear at one port.
    """
    first, count = media
    return [
        ("", "ldb [k]", 9, "", ""),
        ("", "jeq", socket.IPPROTO_UDP, "udp", "drop"),
        ("udp", "ldx ip header", 0, "", ""),
        ("", "ldh [x+k]", 0, "", ""),
        ("", "jeq", sip_port, "whole", "not from sip"),
        ("not from sip", "jge", first + count, "to", "low"),
        ("low", "jge", first, "from caller", "to"),
        ("from caller", "ldb [x+k]", 9, "", ""),
        ("", "and", 0x7F, "", ""),
        ("", "jeq", event_payload_type, "head", "to"),
        ("to", "ldh [x+k]", 2, "", ""),
        ("", "jeq", sip_port, "whole", "not to sip"),
        ("not to sip", "jge", first + count, "drop", "below"),
        ("below", "jge", first, "to caller", "drop"),
        ("to caller", "ldh [x+k]", 0, "", ""),
        ("", "and", 2 * one_in - 1, "", ""),
        ("", "jeq", 0, "head", "drop"),
        ("head", "ret", 64, "", ""),
        ("whole", "ret", 65535, "", ""),
        ("drop", "ret", 0, "", ""),
    ]
