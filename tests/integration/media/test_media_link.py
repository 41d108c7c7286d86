"""A node's media process over real loopback sockets: what a caller hears, what is heard of him, and what is ignored."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ivr.gateway.media_link import MediaLink, MediaUnavailable
from ivr.gateway.media_messages import (
    KeyHeard,
    LegClosed,
    MediaSilent,
    PeerLeft,
    PlayFailed,
    PlayFinished,
    PumpFigures,
    PumpLost,
)
from ivr.media import g711, rtcp, rtp
from ivr.media.parameters import MediaParameters
from ivr.media.rtp import RtpPacket

ROOT = Path(__file__).resolve().parents[3]
SILENCE = {"PCMA": b"\xd5" * 160, "PCMU": b"\xff" * 160}
PATIENCE = 15.0


def tone(frames: int, step: int) -> np.ndarray:
    return (9000 * np.sin(np.arange(frames * 160) * step / 100)).astype(np.int16)


ASK, HEARD = tone(40, 7), tone(5, 31)


@pytest.fixture
def prompts(tmp_path):
    paths = {}
    for name, samples in (("ask", ASK), ("heard", HEARD)):
        paths["zh-CN", name] = tmp_path / f"{name}.wav"
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as recording:
            recording.setparams((1, 2, 8000, 0, "NONE", "NONE"))
            recording.writeframes(samples.astype("<i2").tobytes())
    return paths


class Phone(asyncio.DatagramProtocol):
    """The other side: keeps all RTP it gets, sends what it is told."""

    def __init__(self) -> None:
        self.heard: list[RtpPacket] = []
        self.sequence = 0

    def connection_made(self, transport):
        self.transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data, source):
        self.heard.append(rtp.parse(data) if data[1] & 0x7F < 64 else data)

    def send(self, payload_type: int, payload: bytes, there: int, *, timestamp: int = 0, marker: bool = False) -> None:
        self.sequence += 1
        packet = RtpPacket(payload_type, marker, self.sequence, timestamp, 0xFA12, payload)
        self.transport.sendto(rtp.serialize(packet), ("127.0.0.1", there))

    def press(
        self, digit: int, there: int, *, timestamp: int = 1600, payload_type: int = 101, packets: int = 8
    ) -> None:
        for n in range(packets):
            ended = 0x80 if n >= packets - 3 else 0
            payload = bytes([digit, ended | 10]) + (160 * (n + 1)).to_bytes(2, "big")
            self.send(payload_type, payload, there, timestamp=timestamp, marker=n == 0)

    @property
    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.heard]

    @property
    def audible(self) -> bytes:
        return b"".join(payload for payload in self.payloads if payload not in SILENCE.values())


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        await asyncio.sleep(0.005)


class House:
    """A media link, everything it said, and phones."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.link: MediaLink
        self.transports: list[asyncio.DatagramTransport] = []

    def said(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    async def hears(self, kind: type, count: int = 1) -> list:
        await until(lambda: len(self.said(kind)) >= count, f"{count} {kind.__name__} in {self.events}")
        return self.said(kind)

    async def phone(self, host: str = "127.0.0.1", port: int = 0) -> Phone:
        transport, phone = await asyncio.get_running_loop().create_datagram_endpoint(Phone, local_addr=(host, port))
        self.transports.append(transport)
        return phone

    async def call(self, leg: int, phone: Phone, **changes: object) -> tuple[int, MediaParameters]:
        parameters = replace(
            MediaParameters("127.0.0.1", "127.0.0.1", phone.address[1], "PCMA", 8, 101, True, True, None), **changes
        )
        return await self.link.open(leg, parameters), parameters


@asynccontextmanager
async def house(prompts, *, ports=(40000, 49999), silent_after=20.0) -> AsyncIterator[House]:
    made = House()
    made.link = await MediaLink.start(
        prompts=prompts,
        rtp_ports=ports,
        media_timeout_seconds=silent_after,
        on_event=made.events.append,
        cname="n@test",
    )
    try:
        yield made
    finally:
        await made.link.shut_down()
        for transport in made.transports:
            transport.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize(("codec", "payload_type"), [("PCMA", 8), ("PCMU", 0)])
def test_a_caller_hears_the_recordings_frame_by_frame_between_silences(prompts, codec, payload_type):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            port, _ = await it.call(1, phone, codec=codec, payload_type=payload_type)
            assert port % 2 == 0
            await until(lambda: len(phone.heard) >= 3, "silence before the prompt")
            it.link.play(1, 7, ("ask", "heard"), "zh-CN")
            assert await it.hears(PlayFinished) == [PlayFinished(1, 7)]
            await until(lambda: phone.payloads[-1] == SILENCE[codec], "silence after the prompt")
            assert phone.payloads[:3] == [SILENCE[codec]] * 3
            assert phone.audible == g711.encode(np.concatenate([ASK, HEARD]), codec)
            assert {packet.payload_type for packet in phone.heard} == {payload_type}
            assert {after.sequence - before.sequence & 0xFFFF for before, after in pairwise(phone.heard)} == {1}

    asyncio.run(scenario())


def test_a_key_is_reported_once_with_its_identity_and_place_and_stopping_brings_silence(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            port, _ = await it.call(1, phone)
            it.link.play(1, 1, ("heard", "ask"), "zh-CN")
            await until(lambda: len(phone.audible) >= 160 * 10, "half a second of the prompt")
            before = time.monotonic()
            phone.press(2, port, timestamp=4711)
            (heard,) = await it.hears(KeyHeard)
            it.link.stop(1, 1)
            played = len(phone.audible)
            await until(lambda: phone.payloads[-1] == SILENCE["PCMA"], "silence")
            await until(lambda: phone.payloads[-5:] == [SILENCE["PCMA"]] * 5, "lasting silence")
            assert len(phone.audible) - played <= 160 * 3
            assert (heard.leg, heard.key, heard.way) == (1, "2", "rfc4733")
            assert (heard.ssrc, heard.rtp_timestamp, heard.prompt) == (0xFA12, 4711, "ask")
            assert 0 <= heard.received_at - before < 1
            # ten frames and a few more, of which the five of the first prompt are not counted
            assert 80 <= heard.position_ms <= 400
            assert it.said(KeyHeard) == [heard]
            assert not it.said(PlayFinished)

    asyncio.run(scenario())


def test_a_stop_for_another_attempt_does_not_cut_this_one_short(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            await it.call(1, phone)
            it.link.play(1, 2, ("heard",), "zh-CN")
            it.link.stop(1, 1)
            await it.hears(PlayFinished)
            await until(lambda: len(phone.audible) >= 800, "the whole prompt")
            assert phone.audible == g711.encode(HEARD, "PCMA")

    asyncio.run(scenario())


def test_a_new_prompt_replaces_the_one_that_plays(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            await it.call(1, phone)
            it.link.play(1, 1, ("ask",), "zh-CN")
            await until(lambda: phone.audible, "the first prompt")
            it.link.play(1, 2, ("heard",), "zh-CN")
            assert await it.hears(PlayFinished) == [PlayFinished(1, 2)]
            await until(lambda: phone.payloads[-1] == SILENCE["PCMA"], "silence")
            assert phone.audible.endswith(g711.encode(HEARD, "PCMA"))

    asyncio.run(scenario())


def test_keys_from_another_port_of_the_same_address_count_and_from_another_address_do_not(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone, second, stranger = await it.phone(), await it.phone(), await it.phone("127.0.0.2")
            port, _ = await it.call(1, phone)
            for n in range(20):
                stranger.press(3, port, timestamp=100 + n)
                stranger.send(8, bytes(160), port)
            second.press(4, port)
            (heard,) = await it.hears(KeyHeard)
            assert heard.key == "4"
            phone.press(5, port, timestamp=9000)
            await it.hears(KeyHeard, 2)
            it.link.close(1)
            (closed,) = await it.hears(LegClosed)
            assert [event.key for event in it.said(KeyHeard)] == ["4", "5"]
            assert closed.statistics.foreign >= 20
            assert closed.statistics.keys == 2
            assert stranger.heard == second.heard == []

    asyncio.run(scenario())


def test_broken_packets_are_counted_and_change_nothing(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            port, _ = await it.call(1, phone)
            for data in (b"", b"\x80", bytes([0x8F, 101]) + bytes(10), bytes([0x80, 101]) + bytes(12)):
                phone.transport.sendto(data, ("127.0.0.1", port))
                phone.transport.sendto(data, ("127.0.0.1", port + 1))
            phone.press(6, port)
            await it.hears(KeyHeard)
            it.link.close(1)
            (closed,) = await it.hears(LegClosed)
            assert closed.statistics.malformed >= 2
            assert closed.statistics.keys == 1

    asyncio.run(scenario())


def test_on_hold_nothing_is_sent_and_afterwards_the_prompt_goes_on_at_the_true_time(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            _, parameters = await it.call(1, phone)
            it.link.play(1, 1, ("ask",), "zh-CN")
            await until(lambda: len(phone.audible) >= 160 * 5, "some of the prompt")
            it.link.update(1, replace(parameters, send=False))
            await asyncio.sleep(0.1)
            held, count = time.monotonic(), len(phone.heard)
            await asyncio.sleep(0.3)
            assert len(phone.heard) == count
            it.link.update(1, parameters)
            await it.hears(PlayFinished)
            await until(lambda: phone.payloads[-1] == SILENCE["PCMA"], "the end of the prompt")
            assert phone.audible == g711.encode(ASK, "PCMA")
            last, first = phone.heard[count - 1], phone.heard[count]
            assert first.marker
            assert first.sequence == (last.sequence + 1) & 0xFFFF
            gap = ((first.timestamp - last.timestamp) & 0xFFFFFFFF) / 8000
            assert 0.3 <= gap <= time.monotonic() - held + 0.2

    asyncio.run(scenario())


def test_a_new_address_and_law_apply_at_once(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone, other = await it.phone(), await it.phone()
            port, parameters = await it.call(1, phone)
            it.link.play(1, 1, ("ask",), "zh-CN")
            await until(lambda: len(phone.audible) >= 160 * 5, "some of the prompt")
            it.link.update(
                1,
                replace(parameters, remote_port=other.address[1], codec="PCMU", payload_type=0, event_payload_type=96),
            )
            await it.hears(PlayFinished)
            await until(lambda: other.heard and other.payloads[-1] == SILENCE["PCMU"], "the end of the prompt")
            split = len(phone.audible)
            assert phone.audible == g711.encode(ASK, "PCMA")[:split]
            assert other.audible == g711.encode(ASK, "PCMU")[split:]
            other.press(1, port, payload_type=101)
            other.press(7, port, payload_type=96, timestamp=3200)
            (heard,) = await it.hears(KeyHeard)
            assert heard.key == "7"

    asyncio.run(scenario())


def test_a_late_offer_is_sent_nothing_until_its_address_is_known(prompts):
    async def scenario():
        async with house(prompts, silent_after=0.5) as it:
            phone = await it.phone()
            port, parameters = await it.call(1, phone, remote_address="", remote_port=0)
            phone.press(1, port)
            await asyncio.sleep(0.2)
            assert phone.heard == []
            it.link.update(1, replace(parameters, remote_address="127.0.0.1", remote_port=phone.address[1]))
            await until(lambda: phone.heard, "silence")
            assert phone.heard[0].marker
            assert not it.said(KeyHeard)

    asyncio.run(scenario())


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "phone.example", "::"])
def test_an_address_that_is_nobody_s_is_never_sent_to(prompts, address):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            await it.call(1, phone, remote_address=address)
            await asyncio.sleep(0.1)
            it.link.close(1)
            (closed,) = await it.hears(LegClosed)
            assert closed.statistics.sent == 0
            assert phone.heard == []

    asyncio.run(scenario())


def test_silence_of_the_other_side_is_told_once_and_speech_is_not_silence(prompts):
    async def scenario():
        async with house(prompts, silent_after=1.0) as it:
            dumb, talking, holding = await it.phone(), await it.phone(), await it.phone()
            await it.call(1, dumb)
            port, _ = await it.call(2, talking)
            await it.call(3, holding, receive=False)
            for n in range(200):
                # never the sample that the filter shows: it is the kernel's count that keeps this leg alive
                talking.sequence = 600 + n % 100
                talking.send(8, bytes(160), port)
                await asyncio.sleep(0.02)
            (silent,) = it.said(MediaSilent)
            assert silent.leg == 1
            assert 1.0 <= silent.seconds <= 2.5
            it.link.close(2)
            (closed,) = await it.hears(LegClosed)
            assert closed.statistics.received == 200

    asyncio.run(scenario())


def test_reports_carry_the_cname_and_the_end_says_bye(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            reports = await it.phone()
            await it.call(1, phone, rtcp_port=reports.address[1])
            await until(lambda: reports.heard, "the first report")
            (first,) = rtcp.parse(reports.heard[0])
            assert isinstance(first, rtcp.SenderReport)
            assert first.ssrc == phone.heard[0].ssrc
            assert b"n@test" in reports.heard[0]
            assert abs(first.sent_at - time.time()) < 5
            assert abs(first.packets - len(phone.heard)) <= 20
            ahead = (first.rtp_timestamp - phone.heard[0].timestamp) & 0xFFFFFFFF
            assert ahead == pytest.approx(first.packets * 160, abs=160 * 10)
            it.link.close(1)
            await it.hears(LegClosed)
            await until(lambda: len(reports.heard) >= 2, "the farewell")
            assert rtcp.parse(reports.heard[-1])[-1] == rtcp.Bye((first.ssrc,))

    asyncio.run(scenario())


def test_a_bye_by_rtcp_is_told_and_a_stranger_s_is_not(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone, stranger = await it.phone(), await it.phone("127.0.0.2")
            port, _ = await it.call(1, phone)
            bye = rtcp.farewell(rtcp.SenderReport(0xFA12, time.time(), 0, 1, 160), "phone")
            stranger.transport.sendto(bye, ("127.0.0.1", port + 1))
            await asyncio.sleep(0.1)
            assert not it.said(PeerLeft)
            phone.transport.sendto(bye, ("127.0.0.1", port + 1))
            assert await it.hears(PeerLeft) == [PeerLeft(1)]

    asyncio.run(scenario())


def test_a_missing_prompt_fails_the_attempt_and_a_broken_one_is_named_at_the_start(prompts, tmp_path):
    (tmp_path / "thanks.wav").write_text("not a recording")
    prompts["zh-CN", "thanks"] = tmp_path / "thanks.wav"

    async def scenario():
        async with house(prompts) as it:
            assert [(language, prompt) for language, prompt, _ in it.link.unreadable] == [("zh-CN", "thanks")]
            phone = await it.phone()
            await it.call(1, phone)
            it.link.play(1, 1, ("heard", "thanks"), "zh-CN")
            (failed,) = await it.hears(PlayFailed)
            assert (failed.leg, failed.attempt) == (1, 1)
            assert "thanks" in failed.reason
            assert phone.audible == b""

    asyncio.run(scenario())


def test_without_a_free_port_the_call_is_told_why(prompts):
    async def scenario():
        async with house(prompts, ports=(47000, 47003)) as it:
            phone = await it.phone()
            for leg in (1, 2):
                await it.call(leg, phone)
            with pytest.raises(MediaUnavailable, match="RTP_PORTS"):
                await it.call(3, phone)
            it.link.close(1)
            await it.hears(LegClosed)
            with pytest.raises(MediaUnavailable, match="RTP_PORTS"):
                await it.call(4, phone)  # the ports of leg 1 rest
            with pytest.raises(MediaUnavailable, match=r"cannot be opened|RTP_PORTS"):
                await it.call(5, phone, local_address="192.0.2.1")

    asyncio.run(scenario())


def test_over_ipv6_all_is_the_same(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone("::1")
            port, _ = await it.call(1, phone, local_address="::1", remote_address="0:0:0:0:0:0:0:1")
            await until(lambda: phone.heard, "silence")
            packet = RtpPacket(101, True, 1, 5, 9, bytes([9, 10, 0, 160]))
            phone.transport.sendto(rtp.serialize(packet), ("::1", port))
            (heard,) = await it.hears(KeyHeard)
            assert heard.key == "9"

    asyncio.run(scenario())


def test_a_node_that_does_not_read_for_a_while_loses_no_key_and_stops_no_clock(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            port, _ = await it.call(1, phone)
            await until(lambda: phone.heard, "silence")
            for n in range(300):
                phone.press(n % 10, port, timestamp=1000 * (n + 1), packets=1)
                time.sleep(0.004)  # noqa: ASYNC251  the loop that does not run is the subject
            await it.hears(KeyHeard, 300)
            assert "".join(event.key for event in it.said(KeyHeard)) == "0123456789" * 30
            steps = {(after.timestamp - before.timestamp) & 0xFFFFFFFF for before, after in pairwise(phone.heard)}
            assert max(steps) <= 160 * 3

    asyncio.run(scenario())


def test_when_the_media_process_dies_it_is_said_once_and_no_call_is_taken(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            await it.call(1, phone)
            os.kill(it.link.pid, signal.SIGKILL)
            (lost,) = await it.hears(PumpLost)
            assert lost.reason
            with pytest.raises(MediaUnavailable):
                await it.call(2, phone)
            it.link.play(1, 1, ("ask",), "zh-CN")
            it.link.close(1)
            await asyncio.sleep(0.05)
            assert it.said(PumpLost) == [lost]

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_media_process_that_hangs_is_ended_and_told_as_lost(prompts, monkeypatch):
    monkeypatch.setattr("ivr.gateway.media_link.HANG_SECONDS", 7.0)

    async def scenario():
        async with house(prompts) as it:
            await asyncio.sleep(7.5)
            assert not it.said(PumpLost)
            os.kill(it.link.pid, signal.SIGSTOP)
            (lost,) = await it.hears(PumpLost)
            assert "said nothing for 7 s" in lost.reason

    asyncio.run(scenario())


def test_an_interruption_of_the_whole_process_group_does_not_cut_calls(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            await it.call(1, phone)
            os.kill(it.link.pid, signal.SIGTERM)
            os.kill(it.link.pid, signal.SIGINT)
            count = len(phone.heard)
            await until(lambda: len(phone.heard) > count + 10, "silence going on")
            assert not it.said(PumpLost)

    asyncio.run(scenario())


def test_figures_come_every_few_seconds(prompts):
    async def scenario():
        async with house(prompts) as it:
            phone = await it.phone()
            await it.call(1, phone)
            (figures,) = await it.hears(PumpFigures)
            assert figures.legs == 1
            assert figures.sent == pytest.approx(50 * figures.seconds, rel=0.3)
            assert 0 < figures.late_p50_ms <= figures.late_p99_ms
            assert figures.processor_seconds > 0

    asyncio.run(scenario())


NODE_THAT_DIES = """
import asyncio, os, sys
from ivr.gateway.media_link import MediaLink
async def live():
    link = await MediaLink.start(prompts={}, rtp_ports=(40000, 49999), media_timeout_seconds=9, on_event=print)
    print(link.pid, flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(live())
"""


def test_the_media_process_ends_with_its_node_however_that_dies():
    node = subprocess.run([sys.executable, "-c", NODE_THAT_DIES], cwd=ROOT, capture_output=True, text=True, check=False)
    pid = int(node.stdout)
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists() and "zombie" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < deadline, "the media process lives on"
        time.sleep(0.02)


def test_the_media_process_starts_in_little_time_from_any_folder(prompts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def scenario():
        begin = time.monotonic()
        async with house(prompts):
            return time.monotonic() - begin

    assert asyncio.run(scenario()) < 3.0


def test_a_process_that_cannot_start_says_so_once(prompts, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    said = []

    async def scenario():
        with pytest.raises(MediaUnavailable, match="did not start"):
            await MediaLink.start(
                prompts=prompts, rtp_ports=(40000, 49999), media_timeout_seconds=9, on_event=said.append
            )

    asyncio.run(scenario())
    assert said == []


def open_sockets() -> int:
    """Among this process's descriptors; the one that lists them is gone by the time it is looked at."""
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            count += str(entry.readlink()).startswith("socket:")
    return count


def test_no_socket_is_left_behind(prompts):
    async def scenario():
        async with house(prompts) as it:
            await it.call(1, await it.phone())
            assert open_sockets() >= before + 2

    before = open_sockets()
    asyncio.run(scenario())
    assert open_sockets() == before
