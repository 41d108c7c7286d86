"""Presses over bad lines and damaged packets in great number, through the parts the media process uses.

    python -m bench.key_presses [PRESSES] [PACKETS]

The unit tests do the same with 10^4 presses; this is the long run.
"""

import random
import resource
import sys
import time

from ivr.media import rtcp, rtp
from ivr.media.errors import MalformedPacket
from ivr.media.rtp import RtpPacket
from ivr.media.telephone_event import KEYS, TelephoneEvents

LOSSES = (0.0, 0.05, 0.2)


def train(event: int, timestamp: int, updates: int) -> list[RtpPacket]:
    """The packets of one press: one each 20 ms, the end told three times."""
    payloads = [bytes([event, 10]) + (160 * (n + 1)).to_bytes(2, "big") for n in range(updates)]
    payloads += [bytes([event, 0x8A]) + (160 * (updates + 1)).to_bytes(2, "big")] * 3
    return [RtpPacket(101, n == 0, n, timestamp, 1, payload) for n, payload in enumerate(payloads)]


def arrivals(packets: list[RtpPacket], chance: random.Random, loss: float) -> list[RtpPacket]:
    """Lost with that chance, one in twenty doubled, one in ten up to 150 ms late."""
    timed = [
        (at + (chance.uniform(0, 7.5) if chance.random() < 0.1 else 0), packet)
        for at, packet in enumerate(packets)
        for _ in range(1 + (chance.random() < 0.05))
        if chance.random() >= loss
    ]
    return [packet for _, packet in sorted(timed, key=lambda arrival: arrival[0])]


def presses(count: int, loss: float) -> dict[str, object]:
    """How many of `count` presses were lost, doubled or taken for another key."""
    chance, reader = random.Random(4733), TelephoneEvents()
    lost = doubled = wrong = 0
    for press in range(count):
        event = chance.randrange(12)
        found = [reader.accept(packet) for packet in arrivals(train(event, press * 3200 % 2**32, 4), chance, loss)]
        heard = [key for key in found if key is not None]
        lost += not heard
        doubled += len(heard) > 1
        wrong += any(key != KEYS[event] for key in heard)
    return {"loss_percent": round(100 * loss), "presses": count, "lost": lost, "doubled": doubled, "wrong": wrong}


def damaged(count: int) -> dict[str, object]:
    """Parse packets with octets changed, cut and added; anything but MalformedPacket would end the run."""
    chance = random.Random(3550)
    whole = [rtp.serialize(packet) for packet in train(5, 1600, 4)]
    whole.append(rtcp.farewell(rtcp.SenderReport(7, 1_800_000_000.5, 160, 10, 1600), "node"))
    before, begin, refused = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), 0
    reader = TelephoneEvents()
    for _ in range(count):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        data = data[: chance.randint(0, len(data))] + chance.randbytes(chance.randint(0, 3))
        for parse in (lambda octets: reader.accept(rtp.parse(octets)), rtcp.parse):
            try:
                parse(bytes(data))
            except MalformedPacket:
                refused += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    seconds = time.process_time() - begin
    return {"packets": count, "refused": refused, "grown_kib": grown, "seconds": round(seconds, 1)}


def measure(press_count: int = 100_000, packet_count: int = 1_000_000) -> dict[str, object]:
    """Both, as one JSON-able result."""
    return {"presses": [presses(press_count, loss) for loss in LOSSES], "damaged": damaged(packet_count)}


def main() -> None:
    """Print the figures."""
    counts = [int(argument) for argument in sys.argv[1:3]]
    result = measure(*counts)
    for line in [*result["presses"], result["damaged"]]:
        print("  ".join(f"{name} {value}" for name, value in line.items()))


if __name__ == "__main__":
    main()
