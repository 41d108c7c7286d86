"""A filter in the kernel that shows a leg's socket only what is worth waking for.

Classic BPF by SO_ATTACH_FILTER: telephone-events of the negotiated payload type pass, and one packet in 64
by sequence number as a sample; the rest is dropped and counted by the kernel. Works unprivileged, on Linux
only: elsewhere every packet arrives and `RtpLeg` looks at the payload type itself.
"""

import ctypes
import socket
import struct
import sys

AVAILABLE = sys.platform == "linux"
SAMPLE = 64

_ATTACH_FILTER = 26
_MEMINFO = 55
_MEMINFO_DROPS = 8

_LOAD_BYTE, _LOAD_HALF, _AND, _JUMP_EQUAL, _RETURN = 0x30, 0x28, 0x54, 0x15, 0x06
_WHOLE_PACKET = 0xFFFF
_NO_SUCH_TYPE = 0x80  # a payload type has seven bits

_Instruction = tuple[int, int, int, int]


def attach(rtp: socket.socket, event_payload_type: int | None) -> None:
    """Filter what `rtp` receives from now on; a filter that was there is replaced in one step.

    `event_payload_type` None: no events were negotiated, only the sample passes.
    """
    if not AVAILABLE:
        return
    program = b"".join(struct.pack("HBBI", *line) for line in _program(event_payload_type))
    held = ctypes.create_string_buffer(program)
    rtp.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", len(program) // 8, ctypes.addressof(held)))


def dropped(rtp: socket.socket) -> int:
    """How many packets the kernel kept from this socket, by the filter or for want of room (modulo 2^32)."""
    if not AVAILABLE:
        return 0
    figures = rtp.getsockopt(socket.SOL_SOCKET, _MEMINFO, 36)
    return int.from_bytes(figures[4 * _MEMINFO_DROPS : 4 * _MEMINFO_DROPS + 4], sys.byteorder)


def _program(event_payload_type: int | None) -> tuple[_Instruction, ...]:
    """Instructions (code, jump if true, jump if false, operand); offsets count from the 8 octets of UDP header.

    A load beyond the packet's end drops it, so whatever is too short for RTP never arrives.
    """
    wanted = _NO_SUCH_TYPE if event_payload_type is None else event_payload_type
    return (
        (_LOAD_BYTE, 0, 0, 8 + 1),
        (_AND, 0, 0, 0x7F),
        (_JUMP_EQUAL, 3, 0, wanted),
        (_LOAD_HALF, 0, 0, 8 + 2),
        (_AND, 0, 0, SAMPLE - 1),
        (_JUMP_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _WHOLE_PACKET),
        (_RETURN, 0, 0, 0),
    )
