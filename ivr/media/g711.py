"""G.711: 16-bit samples to A-law and µ-law and back, by tables that hold every value exactly.

The tables are those of the ITU-T software tool library (G.191): truncation to 13 bits (A-law) or 14 bits
(µ-law), one's complement of negative samples, so that both signs are treated alike.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ivr.media.parameters import Codec

RATE = 8000
FRAME_SAMPLES = 160
FRAME_MS = 20
SILENCE: dict[Codec, bytes] = {"PCMA": b"\xd5", "PCMU": b"\xff"}

Samples = NDArray[np.int16]
_Octets = NDArray[np.uint8]


def encode(samples: Samples, codec: Codec) -> bytes:
    """One octet per sample."""
    return _encoding(codec)[samples.view(np.uint16)].tobytes()


def decode(octets: bytes, codec: Codec) -> Samples:
    """One 16-bit sample per octet."""
    return _decoding(codec)[np.frombuffer(octets, np.uint8)]


def frames(samples: Samples, codec: Codec) -> list[bytes]:
    """Cut a recording into frames of 20 ms (160 octets), the last one filled up with silence."""
    octets = encode(samples, codec)
    octets += SILENCE[codec] * (-len(octets) % FRAME_SAMPLES)
    return [octets[start : start + FRAME_SAMPLES] for start in range(0, len(octets), FRAME_SAMPLES)]


@cache
def _encoding(codec: Codec) -> _Octets:
    """Indexed by the sample's 16 bits taken as unsigned."""
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    return _encode_alaw(samples) if codec == "PCMA" else _encode_ulaw(samples)


@cache
def _decoding(codec: Codec) -> Samples:
    octets = np.arange(256, dtype=np.int32)
    return _decode_alaw(octets) if codec == "PCMA" else _decode_ulaw(octets)


def _encode_alaw(samples: NDArray[np.int32]) -> _Octets:
    negative = samples < 0
    magnitude = np.where(negative, ~samples, samples) >> 4
    segment = np.maximum(_bits(magnitude) - 5, 0)
    coded = np.where(segment > 0, ((segment + 1) << 4) - 16 + ((magnitude >> segment) & 0x1F), magnitude)
    octets: _Octets = (np.where(negative, coded, coded | 0x80) ^ 0x55).astype(np.uint8)
    return octets


def _encode_ulaw(samples: NDArray[np.int32]) -> _Octets:
    negative = samples < 0
    magnitude = np.minimum((np.where(negative, ~samples, samples) >> 2) + 33, 0x1FFF)
    segment = _bits(magnitude) - 6
    coded = (segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)
    octets: _Octets = (~np.where(negative, coded | 0x80, coded) & 0xFF).astype(np.uint8)
    return octets


def _decode_alaw(octets: NDArray[np.int32]) -> Samples:
    plain = octets ^ 0x55
    segment = (plain >> 4) & 7
    mantissa = plain & 0x0F
    magnitude = np.where(segment > 0, ((mantissa + 16) << 4) + 8 << np.maximum(segment - 1, 0), (mantissa << 4) + 8)
    return np.where(plain & 0x80, magnitude, -magnitude).astype(np.int16)


def _decode_ulaw(octets: NDArray[np.int32]) -> Samples:
    plain = ~octets & 0xFF
    magnitude = ((((plain & 0x0F) << 1) + 33) << ((plain >> 4) & 7)) - 33 << 2
    return np.where(plain & 0x80, -magnitude, magnitude).astype(np.int16)


def _bits(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many bits each value needs."""
    bits: NDArray[np.int32] = np.frexp(values)[1]
    return bits
