"""From a real journal into real databases: every call once, oldest first, whatever dies or is down in between."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from ivr.delivery import Courier, JournalDelivery
from ivr.gateway.journal_records import AnswerRecord, CallRecord, EndedRecord
from ivr.journal import Journal, JournalLocked, JournalReader, Position
from ivr.journal.segment import segment_path
from store.errors import StoreUnavailable
from store.record import Recorder
from store.schema import Answer, Call, Evaluation
from store.secret import derive

KEYS = derive(b"\x01" * 32)

ROOT = Path(__file__).parents[3]
DYING = Path(__file__).with_name("dying_delivery.py")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Node:
    """Writes the journal of a node as a node does."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder, max_bytes=4 << 20)
        self.journal.open()
        self.ended: list[str] = []

    def answer_call(self, match: str = "none") -> str:
        id_ = str(uuid4())
        self._write(CallRecord(id_, f"{id_}@pbx", "node-1", "survey", "1+abc", "zh-CN", NOON, NOON, match))
        return id_

    def hear_key(self, id_: str, key: str = "2", grade: str = "satisfied") -> None:
        self._write(AnswerRecord(id_, "grade", grade, key, NOON, {"way": "rfc4733"}))

    def end(self, id_: str, outcome: str = "rated") -> None:
        self.ended.append(id_)
        moment = NOON + timedelta(seconds=len(self.ended))
        self._write(EndedRecord(id_, moment, "service", outcome, 1))

    def whole_call(self) -> str:
        id_ = self.answer_call()
        self.hear_key(id_)
        self.end(id_)
        return id_

    def _write(self, record) -> None:
        self.journal.append(record.payload()).result()


@pytest.fixture
def journals(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def node(journals):
    node = Node(journals / "node-1")
    yield node
    node.journal.close()


@pytest.fixture
def recorder(database_url):
    recorder = Recorder(database_url, "follow_up", KEYS)
    yield recorder
    recorder.close()


@pytest.fixture
def rows(database_url, opened):
    engine = opened(database_url)

    def read(column):
        with engine.connect() as connection:
            return list(connection.scalars(select(column)))

    return read


def deliver(journals: Path, recorder) -> int:
    courier = Courier(journals, recorder)
    try:
        return courier.run_once()
    finally:
        courier.close()


def set_aside(node: Node) -> list[dict]:
    path = node.journal.folder / "set_aside.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_call_with_its_grade_stands_in_the_store(journals, node, recorder, rows):
    id_ = node.whole_call()
    assert deliver(journals, recorder) == 1
    assert rows(Evaluation.id) == [id_]
    assert rows(Evaluation.key) == ["2"]
    assert rows(Call.outcome) == ["rated"]
    assert deliver(journals, recorder) == 0


def test_a_call_without_an_answer_has_its_row_too(journals, node, recorder, rows):
    node.end(node.answer_call(), outcome="silent")
    assert deliver(journals, recorder) == 1
    assert rows(Call.outcome) == ["silent"]
    assert rows(Evaluation.id) == []


def test_a_call_is_not_delivered_before_it_ended_and_holds_back_nobody(journals, node, recorder, rows):
    talking = node.answer_call()
    ended = [node.whole_call() for _ in range(5)]
    assert deliver(journals, recorder) == 5
    assert JournalReader(node.journal.folder).acknowledged().offset < 200, "only up to the oldest call not yet ended"
    node.hear_key(talking)
    node.end(talking)
    assert deliver(journals, recorder) == 6, "the five come again; the store ignores them"
    assert sorted(rows(Call.id)) == sorted([*ended, talking])
    assert set_aside(node) == []


def test_long_and_short_calls_over_many_restarts_come_once_each(journals, node, recorder, rows):
    chance, talking = random.Random(3), []
    for _ in range(120):
        talking.append(node.answer_call())
        if chance.random() < 0.8:
            id_ = talking.pop(chance.randrange(len(talking)))
            node.hear_key(id_)
            node.end(id_)
        if chance.random() < 0.3:
            deliver(journals, recorder)
    deliver(journals, recorder)
    assert sorted(rows(Evaluation.id)) == sorted(node.ended)
    assert set_aside(node) == []


def test_everything_ended_is_acknowledged_and_its_segments_are_deleted(journals, recorder):
    node = Node(journals / "node-1")
    node.journal.close()
    node.journal = Journal(node.journal.folder, max_bytes=4 << 20, segment_bytes=16_384, reserve_bytes=8192)
    node.journal.open()
    for _ in range(100):
        node.whole_call()
    assert len(list(node.journal.folder.glob("*.segment"))) > 3
    assert deliver(journals, recorder) == 100
    assert list(JournalReader(node.journal.folder).entries()) == []
    assert len(list(node.journal.folder.glob("*.segment"))) == 2
    node.journal.close()


def test_killed_between_store_and_acknowledgement_nothing_is_lost_or_doubled(journals, node, database_url, rows):
    for _ in range(5):
        for _ in range(7):
            node.whole_call()
        still_talking = node.answer_call()
        node.hear_key(still_talking)
        killed = subprocess.run(
            [sys.executable, DYING, journals, database_url], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        assert JournalReader(node.journal.folder).acknowledged() == Position(0, 0)
        node.end(still_talking)
    recorder = Recorder(database_url, "follow_up", KEYS)
    assert deliver(journals, recorder) == 40
    recorder.close()
    assert sorted(rows(Evaluation.id)) == sorted(node.ended)
    assert len(rows(Answer.call)) == 40
    assert set_aside(node) == []


def test_poison_is_set_aside_with_its_reason_and_the_rest_goes_on(journals, node, recorder, rows):
    before = node.whole_call()
    node.journal.append(b"nonsense").result()
    strange = node.answer_call(match="perhaps")
    node.end(strange)
    unstorable = str(uuid4())
    node._write(CallRecord(unstorable, "a\0b", "node-1", "survey", "1", "zh-CN", NOON, NOON, "none"))
    node.end(unstorable, outcome="silent")
    after = node.whole_call()
    delivered = deliver(journals, recorder)
    assert sorted(rows(Evaluation.id)) == sorted([before, after])
    aside = {line["call"]: line["reason"] for line in set_aside(node)}
    assert aside[None].startswith("unreadable: not JSON")
    assert aside[strange] == "unknown match 'perhaps'"
    assert delivered == 4 - ("malformed" in aside.get(unstorable, "")) - 1, "SQLite stores a NUL, PostgreSQL does not"
    assert (node.journal.folder / "set_aside.jsonl").stat().st_mode & 0o777 == 0o600
    assert list(JournalReader(node.journal.folder).entries()) == []


def test_what_was_set_aside_is_kept_once_however_often_it_is_met(journals, node, recorder):
    node.answer_call()
    node.journal.append(b"nonsense").result()
    deliver(journals, recorder)
    with (node.journal.folder / "set_aside.jsonl").open("ab") as file:
        file.write(b'{"half": "a li')
    deliver(journals, recorder)
    node.journal.append(b"more nonsense").result()
    deliver(journals, recorder)
    lines = (node.journal.folder / "set_aside.jsonl").read_text().splitlines()
    assert [json.loads(line)["records"] for line in (lines[0], lines[2])] == [["nonsense"], ["more nonsense"]]
    assert len(lines) == 3


def test_a_flipped_bit_costs_one_call_and_says_which_bytes(journals, node, recorder, rows):
    first, hurt, last = node.whole_call(), node.whole_call(), node.whole_call()
    path = segment_path(node.journal.folder, 1)
    path.write_bytes(path.read_bytes().replace(hurt[:8].encode(), b"########", 1))
    deliver(journals, recorder)
    assert sorted(rows(Evaluation.id)) == sorted([first, last])
    reasons = [line["reason"] for line in set_aside(node)]
    assert reasons == ["damaged: the checksum does not match"] + ["a record of a call that did not begin"] * 2
    assert "########" in set_aside(node)[0]["records"][0]


def until(condition, seconds: float = 10.0) -> float:
    """Wait for something another thread or process does; gives how long it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.005)
    return time.monotonic() - begun


class Outage:
    """A recorder whose database can be taken away: a stand-in for the network, not for the store."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.down = False
        self.tries = 0

    def record(self, calls):
        if self.down:
            self.tries += 1
            raise StoreUnavailable("the database is away")
        return self._recorder.record(calls)


@pytest.fixture
def running(journals, node, recorder):
    store, stop = Outage(recorder), threading.Event()
    courier = Courier(journals, store)
    thread = threading.Thread(target=courier.run, args=[stop])
    thread.start()
    yield courier, store
    stop.set()
    thread.join()


def test_an_ended_call_is_in_the_store_at_once(running, node, rows):
    for n in range(1, 4):
        node.whole_call()
        assert until(lambda n=n: len(rows(Evaluation.id)) == n) < 1.0


def test_a_database_that_is_down_is_said_once_and_nothing_is_lost(running, node, rows, capsys):
    courier, store = running
    store.down = True
    for _ in range(450):
        node.whole_call()
    until(lambda: store.tries > 3)
    assert courier.waiting() == 450
    store.down = False
    until(lambda: len(rows(Evaluation.id)) == 450)
    until(lambda: courier.waiting() == 0)
    said = capsys.readouterr().out
    assert said.count("delivery waits") == 1
    assert said.count("delivery goes on") == 1
    assert "the database is away" in said


def test_a_journal_that_appears_later_is_delivered_too(running, journals, rows):
    second = Node(journals / "node-2")
    second.whole_call()
    until(lambda: rows(Evaluation.id) == second.ended)
    second.journal.close()


def test_a_journal_that_another_process_delivers_is_left_to_it(running, journals, rows, capsys):
    second = Node(journals / "node-2")
    reader = JournalReader(second.journal.folder)
    reader.open()
    second.whole_call()
    said = []
    until(lambda: said.append(capsys.readouterr().out) or "left to another process" in "".join(said))
    assert rows(Evaluation.id) == []
    reader.close()
    until(lambda: rows(Evaluation.id) == second.ended)
    second.journal.close()


def test_one_journal_has_one_delivery(journals, node, recorder):
    delivery = JournalDelivery(node.journal.folder, recorder, lambda: NOON)
    with pytest.raises(JournalLocked, match=f"already being delivered by process {os.getpid()}"):
        Courier(journals, recorder)
    delivery.close()
