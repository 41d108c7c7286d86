"""A TCP stream cut into messages: every split, every keep-alive, and every way it breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sip_caller import OFFER, TCP, Scene, invite, request, statuses

from ivr.sip.errors import FramingBroken
from ivr.sip.framing import StreamFramer

CORPUS = Path(__file__).resolve().parents[3].parent / "shared" / "corpora" / "rfc4475"
ONE = invite(transport="TCP")
TWO = request("OPTIONS", transport="TCP")


@pytest.mark.parametrize("at", range(len(ONE) + 1))
def test_a_message_split_anywhere_comes_out_whole(at: int) -> None:
    framer = StreamFramer()
    assert framer.feed(ONE[:at]) + framer.feed(ONE[at:]) == [ONE]
    assert not framer.pending


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 4 * len(ONE)), max_size=40))
def test_a_stream_cut_anywhere_gives_the_same_messages(cuts: list[int]) -> None:
    stream = ONE + b"\r\n\r\n" + TWO + TWO + b"\r\n\r\n\r\n\r\n" + ONE
    framer, got, last = StreamFramer(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        got += framer.feed(stream[last:cut])
        last = max(last, min(cut, len(stream)))
    assert got == [ONE, TWO, TWO, ONE]
    assert framer.take_pings() == 3
    assert framer.take_pings() == 0


def test_single_line_breaks_between_messages_are_passed_over() -> None:
    framer = StreamFramer()
    assert framer.feed(b"\r\n" + ONE + b"\r\n") == [ONE]
    assert not framer.pending
    assert framer.feed(TWO) == [TWO]
    assert framer.take_pings() == 0


@pytest.mark.parametrize("name", ["Content-Length", "l", "L", "content-LENGTH  ", "Content-Length\t"])
def test_the_length_is_found_under_every_name(name: str) -> None:
    data = invite(leave_out=["Content-Length"], headers=[f"{name}:\r\n  {len(OFFER)}"])
    assert StreamFramer().feed(data + data) == [data, data]


@pytest.mark.parametrize(
    "data",
    [
        invite(leave_out=["Content-Length"]),
        invite(headers=["Content-Length: -999"]),
        invite(headers=["Content-Length: +5"]),
        invite(headers=["Content-Length: 5, 5"]),
        invite(headers=["Content-Length: 5", "l: 5"]),
        invite(headers=["Content-Length: 65536"]),
        invite(headers=["Content-Length: " + "9" * 5000]),
    ],
)
def test_a_length_that_cannot_be_trusted_breaks_the_stream_and_is_answered_400(data: bytes) -> None:
    framer = StreamFramer()
    with pytest.raises(FramingBroken) as broken:
        framer.feed(TWO + data)
    assert broken.value.whole == [TWO]
    assert statuses(Scene(peer=TCP).receive(broken.value.head)) == [400]


def test_a_head_without_end_breaks_the_stream() -> None:
    framer = StreamFramer()
    assert framer.feed(b"X: " + b"a" * 16_000) == []
    with pytest.raises(FramingBroken):
        framer.feed(b"a" * 1000)


def _vector(name: str) -> bytes:
    path = CORPUS / name
    if not path.exists():
        pytest.skip("the torture corpora are not beside the repository (../shared/corpora)")
    return path.read_bytes()


def test_clerr_waits_for_its_missing_body_without_an_answer() -> None:
    framer = StreamFramer()
    assert framer.feed(_vector("clerr.dat")) == []
    assert framer.pending


@pytest.mark.parametrize("name", ["ncl.dat", "mcl01.dat"])
def test_the_vectors_of_impossible_length_are_answered_400_and_break_the_stream(name: str) -> None:
    with pytest.raises(FramingBroken) as broken:
        StreamFramer().feed(_vector(name))
    assert statuses(Scene(peer=TCP).receive(broken.value.head)) == [400]


def test_the_request_behind_another_is_a_message_of_its_own_on_a_stream() -> None:
    # its last octets lie past the second Content-Length and begin a third message that is none
    with pytest.raises(FramingBroken) as broken:
        StreamFramer().feed(_vector("dblreq.dat"))
    assert [message.split(b" ")[0] for message in broken.value.whole] == [b"REGISTER", b"INVITE"]
