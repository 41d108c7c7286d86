"""A call between its engine and its leg: the real engine and flow, a recording platform, the loop's own clock."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.flow.engine import Engine
from ivr.flow.loader import load
from ivr.gateway.call import Call
from ivr.gateway.journal_records import AnswerRecord, CallRecord, EndedRecord, parse
from ivr.gateway.media_messages import KeyHeard
from ivr.journal import JournalFull, Position

FLOW = Path(__file__).parents[3] / "callflows" / "post_call_survey.yaml"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Recorder:
    """Writes down what the call asks for; the test decides when the disk answers."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.attempt = 0
        self.appended: list[bytes] = []
        self.pending: list[Future[Position]] = []
        self.last: list[EndedRecord] = []

    def play(self, attempt: int, prompts: tuple[str, ...], language: str) -> None:
        self.attempt = attempt
        self.done.append("play " + " ".join(prompts))

    def stop(self, attempt: int) -> None:
        self.done.append("stop")

    def hang_up(self) -> None:
        self.done.append("hang up")

    def append(self, payload: bytes, *, last_words: bool) -> Future[Position]:
        future: Future[Position] = Future()
        self.appended.append(payload)
        self.pending.append(future)
        self.done.append("append")
        return future

    def say_last(self, ended: EndedRecord) -> None:
        self.last.append(ended)
        self.done.append("ended")

    def release(self) -> None:
        self.done.append("release")


def heard(key: str, at: float) -> KeyHeard:
    return KeyHeard(1, key, "rfc4733", 7, int(at * 8000), at, "ask", 3000)


def in_loop(test: Callable[[Call, Recorder], Awaitable[None]]) -> None:
    async def run() -> None:
        record = CallRecord("1d", "call-1", "node-1", "post_call_survey", "1", "zh-CN", NOW, NOW, "none")
        platform = Recorder()
        call = Call(record, Engine(load(FLOW, FLOW.read_text("utf-8"))), platform, language=None)
        call.start()
        await test(call, platform)

    asyncio.run(run())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_thanks_are_played_only_after_the_disk_has_answered() -> None:
    async def scenario(call: Call, platform: Recorder) -> None:
        call.key_heard(heard("2", 10.0))
        await settle()
        assert platform.done == ["play ask", "stop", "append"]
        platform.pending[0].set_result(Position(1, 100))
        await settle()
        assert platform.done[3] == "play heard grade_satisfied change"

    in_loop(scenario)


def test_a_press_is_written_with_its_evidence() -> None:
    async def scenario(call: Call, platform: Recorder) -> None:
        call.key_heard(heard("5", 10.0))
        record = parse(platform.appended[0])
        assert isinstance(record, AnswerRecord)
        assert (record.question, record.answer, record.key) == ("grade", "very_dissatisfied", "5")
        assert record.evidence["prompt"] == "ask"
        assert record.evidence["position_ms"] == 3000

    in_loop(scenario)


def test_a_full_journal_is_told_to_the_caller_and_the_call_ends_in_error() -> None:
    async def scenario(call: Call, platform: Recorder) -> None:
        call.key_heard(heard("1", 10.0))
        platform.pending[0].set_exception(JournalFull("no room"))
        await settle()
        assert platform.done[-1] == "play fault"
        call.play_finished(platform.attempt)
        ended = parse(platform.last[0].payload())
        assert isinstance(ended, EndedRecord)
        assert (ended.outcome, ended.ended_by) == ("error", "service")

    in_loop(scenario)


def test_one_press_by_rtp_and_by_info_is_one_key() -> None:
    async def scenario(call: Call, platform: Recorder) -> None:
        now = asyncio.get_running_loop().time()
        call.key_heard(heard("9", now))
        call.key_signalled("9", 160)
        assert platform.done.count("play wrong_key") == 1

    in_loop(scenario)


@pytest.mark.parametrize(("answered", "outcome"), [(True, "rated"), (False, "hung_up")])
def test_what_was_answered_before_a_hang_up_stands(answered: bool, outcome: str) -> None:
    async def scenario(call: Call, platform: Recorder) -> None:
        if answered:
            call.key_heard(heard("3", 10.0))
            platform.pending[0].set_result(Position(1, 100))
            await settle()
        call.hung_up("caller")
        ended = parse(platform.last[0].payload())
        assert isinstance(ended, EndedRecord)
        assert (ended.outcome, ended.ended_by) == (outcome, "caller")
        assert platform.done[-2:] == ["ended", "release"]

    in_loop(scenario)


def test_a_hang_up_while_the_disk_works_waits_for_its_word() -> None:
    async def scenario(call: Call, platform: Recorder) -> None:
        call.key_heard(heard("4", 10.0))
        call.hung_up("caller")
        assert platform.last == []
        platform.pending[0].set_result(Position(1, 100))
        await settle()
        ended = parse(platform.last[0].payload())
        assert isinstance(ended, EndedRecord)
        assert ended.outcome == "rated"

    in_loop(scenario)


def test_every_call_ends_exactly_once() -> None:
    async def scenario(call: Call, platform: Recorder) -> None:
        for by in ("caller", "node", "media"):
            call.hung_up(by)
        call.key_heard(heard("1", 10.0))
        assert platform.done.count("ended") == 1
        assert platform.done.count("release") == 1
        assert platform.appended == []

    in_loop(scenario)
