"""Evaluations to a platform that fails in every way: nothing lost, nothing doubled under another id, all of it said."""

import hashlib
import hmac
import secrets
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from case_office import AT, KEYS, contact, go, listed, office, propose, rate
from outside.city_platform import DUPLICATE, TAKEN, Platform, Way, answers, half, nonsense, platform, resets
from sqlalchemy import Engine, delete, select, text

from store.attachment import Shelf, attach
from store.case_act import act
from store.catalogue import Entry, synchronise
from store.catalogue import Kind as Listed
from store.contact import CIVIL_TIME
from store.database import reading, writing
from store.exports.answer import Again, Delivered, Refused, Verdict
from store.exports.exporter import Exporter
from store.exports.mapping import Kind
from store.exports.outbox import CLAIM, claim, message_id, read_on, retry, settle
from store.exports.reconciliation import dead_letters, reconcile, status
from store.exports.sending import Sender
from store.exports.targets import Disclosure, Target, load_targets
from store.grade import Grade
from store.jobs import clockwork, run
from store.low_index import Limits
from store.privacy import FieldCipher
from store.schema import ExportMark, ExportMessage

Opened = Callable[[str], Engine]
SECRET = "0123456789abcdef" * 4
LATER = AT + timedelta(hours=1)


@pytest.fixture
def engine(database_url: str, opened: Opened) -> Engine:
    return opened(database_url)


@pytest.fixture
def place() -> Iterator[Platform]:
    with platform() as found:
        yield found


@pytest.fixture
def target(place: Platform, tmp_path: Path) -> Target:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    file = tmp_path / "exports.toml"
    file.write_text(f'[province]\nurl = "{place.url}"\nkey = "siping"\nsecret_file = "secret"\ntimeout_seconds = 0.4\n')
    return load_targets(file)["province"]


def send(engine: Engine, target: Target, now: datetime = LATER, **parts: Any) -> list[Verdict]:
    """One round at a moment; gives what became of each try."""
    found: list[Verdict] = []
    sender = Sender(target)
    values: dict[str, Any] = {
        "engine": engine, "cipher": FieldCipher(KEYS.fields), "target": target, "send": sender, "clock": lambda: now,
        "chance": lambda: 0.0, "nonce": lambda: secrets.token_hex(16), "report": found.append,
    }  # fmt: skip
    list(Exporter(**values | parts).batches())
    sender.close()
    return found


def counts(engine: Engine, target: Target) -> dict[str, int]:
    return {f"{row.kind} {row.status}": row.count for row in status(engine, target.name)}


def test_everything_given_is_sent_whatever_its_grade_and_reconciliation_proves_it(
    engine: Engine, target: Target, place: Platform
) -> None:
    given = {str(grade): rate(engine, contact(engine, work_order=f"WO-{grade}"), str(grade)) for grade in Grade}
    assert send(engine, target) == [Delivered()] * 5
    sent = {got.record["projectNo"]: got.record["satisfaction"] for got in place.got}
    assert sent == {f"WO-{grade}": str(grade.stars) for grade in Grade}
    assert set(place.held) == {message_id("province", Kind.EVALUATION, row) for row in given.values()}
    found = reconcile(engine, target)
    assert found.whole
    assert [(row.grade, row.given, row.delivered) for row in found.grades] == [(str(grade), 1, 1) for grade in Grade]
    assert send(engine, target) == []


def test_a_message_is_signed_over_time_nonce_and_body(engine: Engine, target: Target, place: Platform) -> None:
    rate(engine, contact(engine))
    send(engine, target)
    (got,) = place.got
    timestamp, nonce = got.headers["X-Pingjia-Timestamp"], got.headers["X-Pingjia-Nonce"]
    expected = hmac.new(SECRET.encode(), f"{timestamp}\n{nonce}\n".encode() + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Pingjia-Signature"] == expected
    assert (got.headers["X-Pingjia-Key"], timestamp, len(nonce)) == ("siping", str(int(LATER.timestamp())), 32)
    assert SECRET not in repr(target)


def failing(place: Platform) -> dict[str, Way]:
    return {
        "hangs": place.hangs,
        "drips": place.drips,
        "half an answer": half,
        "resets": resets,
        "no http": nonsense,
        "500": answers(b"oops", 500),
        "redirect": answers(b"", 302, Location=place.url),
        "401": answers(b"", 401),
        "429": answers(b"", 429, Retry_After="600"),
        "wrong json": answers(b"{code: 0}"),
        "html": answers(b"<html>login</html>"),
        "empty": answers(b""),
        "endless": answers(b" " * 200_000 + TAKEN),
    }


@pytest.mark.parametrize("name", failing(Platform()))
def test_whatever_fails_is_sent_again_under_the_same_id(
    engine: Engine, target: Target, place: Platform, name: str
) -> None:
    evaluation = rate(engine, contact(engine))
    place.ways.append(failing(place)[name])
    (first,) = send(engine, target)
    assert isinstance(first, Again)
    assert first.reason
    assert send(engine, target) == []  # not before its time
    (row,) = reconcile(engine, target).unsent
    assert (row.evaluation, row.status, row.attempts, row.reason) == (evaluation, "waiting", 1, first.reason)
    assert send(engine, target, LATER + timedelta(minutes=11)) == [Delivered()]
    assert [got.id for got in place.got] == [message_id("province", Kind.EVALUATION, evaluation)] * 2
    assert place.got[0].body == place.got[1].body
    assert place.got[0].headers["X-Pingjia-Nonce"] != place.got[1].headers["X-Pingjia-Nonce"]
    assert reconcile(engine, target).whole


def test_nobody_listening_loses_nothing(engine: Engine, target: Target) -> None:
    rate(engine, contact(engine))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        (verdict,) = send(engine, replace(target, urls=dict.fromkeys(target.urls, url)))
    assert verdict == Again("nobody takes connections there")
    assert send(engine, target, LATER + timedelta(hours=1)) == [Delivered()]


def test_a_platform_asking_for_time_is_given_it(engine: Engine, target: Target, place: Platform) -> None:
    rate(engine, contact(engine))
    place.ways.append(answers(b"", 429, Retry_After="600"))
    send(engine, target)
    assert send(engine, target, LATER + timedelta(seconds=599)) == []
    assert send(engine, target, LATER + timedelta(seconds=600)) == [Delivered()]


def test_taken_without_an_answer_is_a_duplicate_and_delivered(engine: Engine, target: Target, place: Platform) -> None:
    def takes_and_dies(handler: Any) -> None:
        place.held[place.got[-1].id] = place.got[-1].record
        resets(handler)

    rate(engine, contact(engine))
    place.ways.append(takes_and_dies)
    send(engine, target)
    assert send(engine, target, LATER + timedelta(hours=1)) == [Delivered(duplicate=True)]
    assert (len(place.got), len(place.held), reconcile(engine, target).whole) == (2, 1, True)


def test_a_duplicate_that_is_another_contacts_is_no_delivery(engine: Engine, target: Target, place: Platform) -> None:
    first = rate(engine, contact(engine, work_order="WO-1"))
    send(engine, target)
    rate(engine, contact(engine, work_order="WO-1"), "very_satisfied")
    place.ways.append(answers(DUPLICATE))
    assert send(engine, target) == [Refused(f"the platform holds another evaluation of WO-1/1: {first}")]


def test_a_refusal_is_a_dead_letter_in_the_platforms_words_and_can_be_retried(
    engine: Engine, target: Target, place: Platform
) -> None:
    evaluation = rate(engine, contact(engine), "very_dissatisfied")
    place.ways.append(answers('{"code": 7, "msg": "事项编码不存在"}'.encode()))
    assert send(engine, target) == [Refused("HTTP 200 code 7 事项编码不存在")]
    (letter,) = dead_letters(engine, "province")
    assert (letter.evaluation, letter.reason) == (evaluation, "HTTP 200 code 7 事项编码不存在")
    found = reconcile(engine, target)
    assert not found.whole
    assert [(row.grade, row.dead) for row in found.grades if row.dead] == [("very_dissatisfied", 1)]
    assert send(engine, target, LATER + timedelta(days=30)) == []
    assert retry(engine, "elsewhere", None, LATER) == 0
    assert retry(engine, "province", [letter.id], LATER) == 1
    assert retry(engine, "province", None, LATER) == 0
    assert send(engine, target) == [Delivered()]
    assert place.got[0].id == place.got[1].id


def test_tries_end_and_the_dead_letter_says_what_went_wrong_last(
    engine: Engine, target: Target, place: Platform
) -> None:
    rate(engine, contact(engine))
    place.ways += [answers(b"", 503)] * 3
    patient = replace(target, attempts=3)
    verdicts = [send(engine, patient, LATER + timedelta(days=day)) for day in range(4)]
    assert verdicts == [[Again("HTTP 503")]] * 2 + [[Refused("given up after 3 attempts: HTTP 503")], []]


def test_a_channel_without_a_code_is_a_dead_letter_until_the_site_says_one(
    engine: Engine, target: Target, place: Platform
) -> None:
    rate(engine, contact(engine))
    silent = replace(target, table=target.table.variant("zhejiang"))
    assert send(engine, silent) == [Refused("pf: provincial has no code for channel ivr")]
    assert place.got == []
    retry(engine, "province", None, LATER)
    told = replace(silent, table=silent.table.with_channels({"ivr": "2"}))
    assert send(engine, told) == [Delivered()]
    assert place.got[0].record["pf"] == "2"


def test_a_platform_that_is_down_is_knocked_at_three_times_a_round(
    engine: Engine, target: Target, place: Platform
) -> None:
    for _ in range(6):
        rate(engine, contact(engine))
    place.ways += [answers(b"", 503)] * 3
    assert [type(verdict) for verdict in send(engine, target)] == [Again] * 3
    assert counts(engine, target) == {"evaluation waiting": 6}
    assert len(send(engine, target)) == 3
    assert len(send(engine, target, LATER + timedelta(hours=1))) == 3
    assert len(place.held) == 6


def test_of_one_evaluation_what_comes_later_waits_for_what_was_before(
    engine: Engine, target: Target, place: Platform, tmp_path: Path
) -> None:
    rate(engine, contact(engine), "satisfied")
    rate(engine, contact(engine, work_order="WO-9"))
    case, at = listed(engine)[0].id, AT + timedelta(minutes=10)
    go(office(engine), case, "verify", at=at)
    evidence = attach(office(engine), Shelf(tmp_path, 2**20), case, b"%PDF-1.7", name="e.pdf", by="wang", now=at).id
    act(office(engine), case, propose(evidence), at)
    go(office(engine), case, "confirm", "call_back", at=at)
    place.ways += [place.takes, answers('{"code": 9, "msg": "稍后"}'.encode())]
    assert send(engine, target) == [Delivered(), Refused("HTTP 200 code 9 稍后")]
    blocked = {row.kind: row.blocked for row in status(engine, "province") if row.status == "waiting"}
    assert blocked == {"decision": 1, "reply": 1}
    retry(engine, "province", None, LATER)
    assert send(engine, target) == [Delivered()] * 3
    kinds = [(got.headers["X-Pingjia-Kind"], got.record) for got in place.got if got.record["projectNo"] == "WO-9"]
    assert [kind for kind, _ in kinds] == ["evaluation", "evaluation", "decision", "reply"]
    assert (kinds[2][1]["effectivEvalua"], kinds[2][1]["sfeypj"], kinds[3][1]["sfhfang"]) == ("0", "0", "1")


def test_deemed_ones_go_only_where_the_target_wants_them(engine: Engine, target: Target, place: Platform) -> None:
    contact(engine)
    week = AT + timedelta(days=9)
    run(office(engine), clockwork(deeming=True, limits=Limits()), "test", week, stopped=lambda: False)
    assert send(engine, target, week) == []
    assert reconcile(engine, target).whole
    wants = replace(target, name="second", deemed=True, table=target.table.with_channels({"system": "8"}))
    assert sum(row.missing for row in reconcile(engine, wants).grades) == 1
    assert send(engine, wants, week) == [Delivered()]
    assert (place.got[0].record["isdefault"], place.got[0].record["pf"]) == ("1", "8")


def test_one_bound_to_no_contact_has_no_number_and_is_counted_apart(engine: Engine, target: Target) -> None:
    rate(engine, None)
    assert send(engine, target) == []
    found = reconcile(engine, target)
    assert (found.whole, found.unbound, sum(row.given for row in found.grades)) == (True, 1, 0)


def test_a_target_that_begins_later_gets_what_was_recorded_since(engine: Engine, target: Target) -> None:
    rate(engine, contact(engine), at=AT)
    rate(engine, contact(engine), at=AT + timedelta(days=2))
    since = datetime(2026, 11, 21, tzinfo=CIVIL_TIME)
    assert send(engine, replace(target, since=since), AT + timedelta(days=3)) == [Delivered()]
    assert reconcile(engine, replace(target, since=since)).whole


@pytest.mark.parametrize(
    ("caller", "name"), [(Disclosure.NONE, None), (Disclosure.MASKED, "138****0000"), (Disclosure.FULL, "13800000000")]
)
def test_of_the_caller_a_target_gets_what_its_setting_allows(
    engine: Engine, target: Target, place: Platform, caller: Disclosure, name: str | None
) -> None:
    rate(engine, contact(engine, caller="13800000000"))
    send(engine, replace(target, caller=caller))
    assert place.got[0].record.get("userName") == name
    with reading(engine) as connection:
        assert connection.scalar(select(ExportMessage.disclosed)) == caller
        rows = connection.execute(text("SELECT * FROM export_message")).all()
    assert "13800000000" not in str(rows)


def test_names_are_those_of_then(engine: Engine, target: Target, place: Platform) -> None:
    for at, name in ((AT - timedelta(days=1), "住建局"), (AT + timedelta(days=1), "住房局")):
        with writing(engine) as connection:
            synchronise(connection, KEYS, Listed.DEPARTMENT, [Entry("0431", name)], complete=False, now=at)
    rate(engine, contact(engine, department="0431"))
    send(engine, target, AT + timedelta(days=2))
    assert place.got[0].record["proDepart"] == "住建局"


def test_a_lost_message_shows_as_missing_and_the_ledger_gives_it_back(engine: Engine, target: Target) -> None:
    rate(engine, contact(engine))
    send(engine, target)
    with writing(engine) as connection:
        connection.execute(delete(ExportMessage))
    assert [row.status for row in reconcile(engine, target).unsent] == ["missing"]
    with writing(engine) as connection:
        connection.execute(delete(ExportMark))
    assert send(engine, target) == [Delivered(duplicate=True)]  # the platform knows its id
    assert reconcile(engine, target).whole


def test_a_dead_senders_claim_ends_by_itself_and_its_late_word_counts_no_more(
    engine: Engine, target: Target, place: Platform
) -> None:
    rate(engine, contact(engine))
    assert read_on(engine, target, LATER) > 0
    stale = claim(engine, target, LATER)
    assert stale is not None
    assert claim(engine, target, LATER + CLAIM - timedelta(seconds=1)) is None
    assert send(engine, target, LATER + CLAIM) == [Delivered()]
    settle(engine, target, stale, Again("late"), LATER + CLAIM, chance=0.0)
    assert reconcile(engine, target).whole


def test_several_processes_send_everything_once(
    engine: Engine, target: Target, place: Platform, database_url: str, opened: Opened
) -> None:
    for _ in range(12):
        rate(engine, contact(engine))
    with ThreadPoolExecutor(3) as pool:
        tries = list(pool.map(lambda _: send(opened(database_url), target), range(3)))
    assert sum(map(len, tries)) == len(place.got) == len(place.held) == 12
    assert reconcile(engine, target).whole


def test_a_storm_of_every_fault_loses_nothing_and_doubles_nothing(
    engine: Engine, target: Target, place: Platform
) -> None:
    for number, grade in enumerate([*Grade] * 3):
        rate(engine, contact(engine, work_order=f"WO-{number}"), str(grade))
    ways = [way for name, way in failing(place).items() if name not in ("hangs", "drips")]
    place.ways += ways + [answers(b"", 502)] * 5 + ways
    now, rounds = LATER, 0
    while not reconcile(engine, target).whole and rounds < 60:
        send(engine, target, now)
        now, rounds = now + timedelta(hours=7), rounds + 1
    assert reconcile(engine, target).whole
    assert len(place.held) == 15
    assert {got.id for got in place.got} == set(place.held)
    assert sorted(record["projectNo"] for record in place.held.values()) == sorted(f"WO-{n}" for n in range(15))


def test_the_ids_are_the_same_for_ever() -> None:
    name = message_id("province", Kind.EVALUATION, "00000000-0000-0000-0000-000000000000")
    assert name == "489b8b92-2625-5d79-ab6a-adc47ea69d9c"
