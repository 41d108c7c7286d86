"""A filter in the kernel that shows a leg's socket only what is worth waking for.

Classic BPF by SO_ATTACH_FILTER: telephone-events of the negotiated payload type pass, except those of the
press that was heard last, and one other packet in 512 by sequence number. The rest is dropped and counted by
the kernel, and that count tells a silent peer from a speaking one. Works unprivileged, on Linux only:
elsewhere every packet arrives and `RtpLeg` looks at the payload type itself.
"""

import ctypes
import socket
import struct
import sys
from dataclasses import dataclass
from functools import cache
from itertools import starmap

AVAILABLE = sys.platform == "linux"
SAMPLE = 512

_ATTACH_FILTER = 26
_MEMINFO = 55
_MEMINFO_DROPS = 8

_LOAD_BYTE, _LOAD_HALF, _LOAD_WORD, _AND, _JUMP_EQUAL, _RETURN = 0x30, 0x28, 0x20, 0x54, 0x15, 0x06
_INSTRUCTION = struct.Struct("HBBI")
_WHOLE_PACKET = 0xFFFF
_NO_SUCH_TYPE = 0x80  # a payload type has seven bits

_Instruction = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class HeardPress:
    """The identity of a press that was reported, so that its dozen further packets wake nobody."""

    ssrc: int
    rtp_timestamp: int
    event: int


def show_events(rtp: socket.socket, payload_type: int | None, heard: HeardPress | None = None) -> None:
    """Filter what `rtp` receives from now on; a filter that was there is replaced in one step.

    `payload_type` None: no events were negotiated, only the sample passes.
    """
    if not AVAILABLE:
        return
    wanted = _NO_SUCH_TYPE if payload_type is None else payload_type
    if heard is None:
        rtp.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, _attachment(wanted)[0])
    else:
        program, _held = _assemble(_program_after(wanted, heard))
        rtp.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)


@cache
def _attachment(wanted: int) -> tuple[bytes, object]:
    """The ordinary program for a payload type; every call needs it."""
    return _assemble(_program(wanted))


def _assemble(lines: tuple[_Instruction, ...]) -> tuple[bytes, object]:
    """What SO_ATTACH_FILTER takes, `struct sock_fprog`, and the instructions it points to, to be kept alive."""
    held = ctypes.create_string_buffer(b"".join(starmap(_INSTRUCTION.pack, lines)))
    return struct.pack("HL", len(lines), ctypes.addressof(held)), held


def dropped(rtp: socket.socket) -> int:
    """How many packets the kernel kept from this socket, by the filter or for want of room (modulo 2^32)."""
    if not AVAILABLE:
        return 0
    figures = rtp.getsockopt(socket.SOL_SOCKET, _MEMINFO, 36)
    return int.from_bytes(figures[4 * _MEMINFO_DROPS : 4 * _MEMINFO_DROPS + 4], sys.byteorder)


def _program(wanted: int) -> tuple[_Instruction, ...]:
    """Instructions (code, jump if true, jump if false, operand); offsets count from the 8 octets of UDP header.

    A load beyond the packet's end drops it, so whatever is too short for RTP never arrives.
    """
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


def _program_after(wanted: int, heard: HeardPress) -> tuple[_Instruction, ...]:
    """The same, but an event of the press that was heard falls under the sample like audio."""
    return (
        (_LOAD_BYTE, 0, 0, 8 + 1),
        (_AND, 0, 0, 0x7F),
        (_JUMP_EQUAL, 0, 6, wanted),
        (_LOAD_WORD, 0, 0, 8 + 4),
        (_JUMP_EQUAL, 0, 7, heard.rtp_timestamp),
        (_LOAD_WORD, 0, 0, 8 + 8),
        (_JUMP_EQUAL, 0, 5, heard.ssrc),
        (_LOAD_BYTE, 0, 0, 8 + 12),
        (_JUMP_EQUAL, 0, 3, heard.event),
        (_LOAD_HALF, 0, 0, 8 + 2),
        (_AND, 0, 0, SAMPLE - 1),
        (_JUMP_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _WHOLE_PACKET),
        (_RETURN, 0, 0, 0),
    )
