"""Mutated messages in a living node: no exception, no answer to a response, and a sound call afterwards.

The seeds are our own messages; RFC 4475's are added where they are at hand. A longer run is the bench's matter.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sip_caller import OFFER, TCP, UDP, Gateway, Scene, invite, only, request, statuses

from ivr.sip.errors import FramingBroken, MalformedMessage
from ivr.sip.framing import StreamFramer
from ivr.sip.message import Request, parse
from ivr.sip.user_agent_server import Established, Offered, Transmit

CORPORA = Path(__file__).resolve().parents[3].parent / "shared" / "corpora"
ROUNDS = 4000
SPICE = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b"\r\n ", b";", b",", b":", b'"', b"<", b">", b"@", b"%00", b"\xff",
         b"[", b"]", b"=", b"\\", b"-1", b"9" * 30, b"\xc2\xb2", b"Via: ", b"SIP/2.0", b"\r\n\r\n"]  # fmt: skip


def _seeds() -> list[bytes]:
    ours = [
        invite(),
        invite(headers=["Record-Route: <sip:p;lr>", 'Contact: "x" <sip:a@b:5>;q=1', "Accept: application/sdp, */*"]),
        request("INVITE"),
        *(request(method, to_tag="tag1", cseq=2) for method in ("ACK", "BYE", "INFO", "UPDATE", "CANCEL", "OPTIONS")),
        request("INFO", to_tag="tag1", cseq=9, content_type="application/dtmf-relay", body=b"Signal=5\r\nDuration=9"),
        request("INVITE", to_tag="tag1", cseq=3, branch="z9hG4bKre", body=OFFER),
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtag2\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        invite(
            content_type="multipart/mixed;boundary=x", body=b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--"
        ),
    ]
    return ours + [path.read_bytes() for path in sorted(CORPORA.glob("rfc*/*.dat"))]


def _mutated(chance: random.Random, seeds: list[bytes]) -> bytes:
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice([0, 1, 1, 2, 3, 8])):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                data[at:at] = chance.choice(SPICE)
            case 2:
                del data[at : at + chance.randrange(1, 40)]
            case 3:
                data[at:at] = data[at : at + chance.randrange(1, 80)]
            case 4:
                other = chance.choice(seeds)
                data[at:] = other[chance.randrange(len(other)) :]
            case _:
                lines = bytes(data).split(b"\r\n")
                chance.shuffle(lines)
                data[:] = b"\r\n".join(lines)
    return bytes(data)


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_datagrams_hurt_nobody(seed: int) -> None:
    chance, seeds, scene = random.Random(seed), _seeds(), Scene()
    gateway = Gateway(scene)
    for number in range(ROUNDS):
        data = _mutated(chance, seeds)
        peer = TCP if number % 5 == 0 else UDP
        effects = gateway.receive(data, peer)
        if data.lstrip(b"\r\n")[:4] == b"SIP/":
            assert not only(effects, Transmit)
        scene.pass_time(chance.choice([0, 0, 0.3, 2]))
        chance.choice([scene.server.ring, _nothing])(str(number % 50))
        scene.take(scene.server.accept_change(str(number % 50), b"v=0\r\n", scene.now))
        if number % 7 == 0:
            scene.take(scene.server.hang_up(str(number % 200), scene.now))
    offered = only(scene.seen, Offered)
    assert len(offered) > 100
    scene.pass_time(200)
    assert (scene.server.calls, scene.server.transactions) == (0, 0)
    assert sorted(end.call for end in scene.ends) == sorted(offer.call for offer in offered)
    _, tag = scene.established(invite(branch="z9hG4bKcontrol", call_id="control"), call_id="control")
    assert only(scene.seen, Established)
    assert statuses(scene.receive(scene.within("BYE", tag, cseq=2, call_id="control"))) == [200]


def _nothing(_: str) -> None:
    return None


def test_the_parser_raises_malformed_message_and_nothing_else() -> None:
    chance, seeds = random.Random(3), _seeds()
    read = 0
    for _ in range(ROUNDS):
        try:
            message = parse(_mutated(chance, seeds))
        except MalformedMessage:
            continue
        else:
            read += isinstance(message, Request)
    assert read > ROUNDS / 4


def test_the_framer_raises_framing_broken_and_nothing_else() -> None:
    chance, seeds = random.Random(4), _seeds()
    whole = 0
    for _ in range(ROUNDS // 4):
        framer = StreamFramer()
        stream = b"".join(_mutated(chance, seeds) for _ in range(3))
        try:
            for at in range(0, len(stream), 700):
                whole += len(framer.feed(stream[at : at + 700]))
        except FramingBroken as broken:
            whole += len(broken.whole)
    assert whole > ROUNDS / 8
