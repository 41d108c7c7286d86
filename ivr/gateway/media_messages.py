"""What node and media process say to each other, one message per datagram of their socket pair.

A message travels as a marshalled tuple, its kind first and its fields in the order of the class: that costs a
third of JSON, and both ends are always the same interpreter and release, because one starts the other.
"""

import marshal
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from ivr.media.key_merger import Way
from ivr.media.parameters import MediaParameters


@dataclass(frozen=True, slots=True)
class Configure:
    """The first message: first and last port of the range, the silence that is a fault, the CNAME of reports."""

    first_port: int
    last_port: int
    media_timeout_seconds: float
    cname: str


@dataclass(frozen=True, slots=True)
class LoadPrompt:
    """Encode one recording (8 kHz, mono, 16 bit) before the first call needs it."""

    language: str
    prompt: str
    path: str


@dataclass(frozen=True, slots=True)
class BeginService:
    """All prompts are named: answer `Ready` and start the clock."""


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """Bind ports for a call and start its stream; answered by `Opened` or `Refused`."""

    leg: int
    parameters: MediaParameters


@dataclass(frozen=True, slots=True)
class UpdateLeg:
    """Take new parameters at once: hold, another codec, another address. Ports stay."""

    leg: int
    parameters: MediaParameters


@dataclass(frozen=True, slots=True)
class PlayPrompts:
    """Play recordings one after another instead of what plays now."""

    leg: int
    attempt: int
    prompts: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class StopPrompts:
    """Be silent from the next frame on, if it is still this attempt that plays."""

    leg: int
    attempt: int


@dataclass(frozen=True, slots=True)
class CloseLeg:
    """Say RTCP BYE, close the sockets, answer `LegClosed`."""

    leg: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The clock runs. `unreadable`: (language, prompt, reason) of recordings that cannot be played."""

    unreadable: tuple[tuple[str, str, str], ...]
    real_time: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """The leg's even RTP port; its RTCP port is the next one."""

    leg: int
    port: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The leg could not be opened."""

    leg: int
    reason: str


@dataclass(frozen=True, slots=True)
class KeyHeard:
    """One press: the first packet of it that came.

    `ssrc` and `rtp_timestamp` are its identity (RFC 4733), `received_at` is CLOCK_MONOTONIC in seconds,
    `position_ms` how far the caller had heard into `prompt` (None: nothing was playing).
    """

    leg: int
    key: str
    way: Way
    ssrc: int
    rtp_timestamp: int
    received_at: float
    prompt: str | None
    position_ms: int


@dataclass(frozen=True, slots=True)
class PlayFinished:
    """The last frame of the last prompt of an attempt was sent."""

    leg: int
    attempt: int


@dataclass(frozen=True, slots=True)
class PlayFailed:
    """A prompt of the attempt does not exist or could not be read; nothing of the attempt is played."""

    leg: int
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class MediaSilent:
    """No packet came from the other side for so long, though it should be sending. Said once per silence."""

    leg: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """The other side sent an RTCP BYE."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegStatistics:
    """What a leg's stream came to.

    `received` counts every packet the kernel saw, most of them never shown to this program; `foreign` those
    from elsewhere that were shown and ignored; `late_frames` those sent more than 5 ms after their time,
    `skipped_frames` those whose time had passed altogether, `unsent_frames` those the system refused to send.
    """

    sent: int = 0
    received: int = 0
    foreign: int = 0
    malformed: int = 0
    events: int = 0
    keys: int = 0
    late_frames: int = 0
    skipped_frames: int = 0
    unsent_frames: int = 0


@dataclass(frozen=True, slots=True)
class LegClosed:
    """The last word about a leg."""

    leg: int
    statistics: LegStatistics


@dataclass(frozen=True, slots=True)
class PumpFigures:
    """Figures of the whole pump over the last seconds, for metrics. Lateness is that of the clock's ticks."""

    legs: int
    seconds: float
    ticks: int
    sent: int
    keys: int
    late_p50_ms: float
    late_p99_ms: float
    late_max_ms: float
    skipped_frames: int
    lost_messages: int
    processor_seconds: float


@dataclass(frozen=True, slots=True)
class PumpLost:
    """The media process is gone or hangs: every leg is lost. Said by the link, once."""

    reason: str


MediaEvent = KeyHeard | PlayFinished | PlayFailed | MediaSilent | PeerLeft | LegClosed | PumpFigures | PumpLost
Command = Configure | LoadPrompt | BeginService | OpenLeg | UpdateLeg | PlayPrompts | StopPrompts | CloseLeg
Report = (
    Ready | Opened | Refused | KeyHeard | PlayFinished | PlayFailed | MediaSilent | PeerLeft | LegClosed | PumpFigures
)
Message = Command | Report

LARGEST_MESSAGE = 65536

_CLASSES: tuple[type[Any], ...] = (
    Configure, LoadPrompt, BeginService, OpenLeg, UpdateLeg, PlayPrompts, StopPrompts, CloseLeg,
    Ready, Opened, Refused, KeyHeard, PlayFinished, PlayFailed, MediaSilent, PeerLeft, LegClosed, PumpFigures,
)  # fmt: skip
_KINDS = {cls: number for number, cls in enumerate(_CLASSES)}
_NESTED: dict[type[Any], type[Any]] = {OpenLeg: MediaParameters, UpdateLeg: MediaParameters, LegClosed: LegStatistics}
_NAMES = {cls: [field.name for field in fields(cls)] for cls in (*_CLASSES, MediaParameters, LegStatistics)}
_GETTERS = {cls: attrgetter(*names) for cls, names in _NAMES.items() if len(names) > 1}


def _values(message: object) -> tuple[Any, ...]:
    """The fields in their order; `attrgetter` does it fastest but gives a lone field bare and none not at all."""
    getter = _GETTERS.get(type(message))
    return getter(message) if getter else tuple(getattr(message, name) for name in _NAMES[type(message)])


def encode(message: Message) -> bytes:
    """Write one message as one datagram."""
    values = _values(message)
    if type(message) in _NESTED:
        values = (*values[:-1], _values(values[-1]))
    return marshal.dumps((_KINDS[type(message)], *values))


def decode(datagram: bytes) -> Message:
    """Read what `encode` wrote."""
    kind, *values = marshal.loads(datagram)  # noqa: S302  from the process that started us, or that we started
    cls = _CLASSES[kind]
    nested = _NESTED.get(cls)
    if nested is not None:
        values[-1] = nested(*values[-1])
    message: Message = cls(*values)
    return message
