"""A bad evaluation is followed up, on both databases: opened with it, acted on by those who may, never lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from case_office import (
    AT,
    DEPARTMENT,
    KEYS,
    REVIEWER,
    TEAM,
    WAY,
    contact,
    go,
    listed,
    office,
    opened_case,
    propose,
    rate,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settled_calls import settled_call
from sqlalchemy import Engine, func, select, text

from store.attachment import NotTakeable, Shelf, attach, fetch, kind, plain_name
from store.audit import verify
from store.case import Act, CaseRefused, Reason, Refusal, Role, State
from store.case_act import Wish, act
from store.case_query import Timeliness, cycles, details, objections, timeliness
from store.case_transitions import fold
from store.case_writing import history
from store.database import reading, writing
from store.errors import CipherError, NotFound, StoreUnavailable
from store.privacy import FieldCipher
from store.query import Page, evaluations
from store.record import Recorder
from store.schema import CaseCycle, CaseEvent, CaseFile, CaseStanding, Decision, FollowUp

Opened = Callable[[str], Engine]
CIPHER = FieldCipher(KEYS.fields)
PDF = b"%PDF-1.7 proof"
LATER = AT + timedelta(hours=1)


@pytest.fixture
def engine(database_url: str, opened: Opened) -> Engine:
    return opened(database_url)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "attachments", 2**20)


def evidence(engine: Engine, shelf: Shelf, case: str) -> str:
    return attach(office(engine), shelf, case, PDF, name="录音.pdf", by="wang", now=AT).id


def refusal(engine: Engine, case: str, wish: Wish, later: timedelta = timedelta(hours=1)) -> Refusal:
    before = details(engine, case, CIPHER, AT)
    with pytest.raises(CaseRefused) as caught:
        act(office(engine), case, wish, AT + later)
    assert details(engine, case, CIPHER, AT) == before
    return caught.value.refusal


@pytest.mark.parametrize("grade", ["dissatisfied", "very_dissatisfied"])
def test_a_bad_evaluation_opens_a_case_with_its_deadlines(engine: Engine, grade: str) -> None:
    evaluation = rate(engine, contact(engine), grade)
    (row,) = listed(engine)
    assert (row.evaluation, row.state, row.grade, row.department) == (evaluation, "received", grade, "住建局")
    assert (row.opened_at, row.call_back_due, row.due) == (AT, AT + timedelta(hours=48), AT + timedelta(hours=48))
    assert f"{row.rectify_due:%Y-%m-%d %H:%M}" == "2026-12-05 15:59"
    assert f"{row.objection_until:%Y-%m-%d %H:%M}" == "2026-11-24 15:59"
    assert (row.provisional, row.late, row.adopted) == (False, False, True)


@pytest.mark.parametrize("grade", ["very_satisfied", "satisfied", "basically_satisfied", None])
def test_no_other_call_opens_one(engine: Engine, grade: str | None) -> None:
    rate(engine, contact(engine), grade)
    assert listed(engine) == []


def test_a_bad_evaluation_without_a_contact_is_followed_up_too(engine: Engine) -> None:
    rate(engine, None)
    (row,) = listed(engine)
    assert (row.contact, row.match) == (None, "none")
    assert go(office(engine), row.id, "verify", "rectify", "rectified").state is State.RECTIFIED


def test_a_batch_delivered_twice_opens_its_cases_once(engine: Engine, database_url: str) -> None:
    calls = [settled_call("dissatisfied") for _ in range(5)] + [settled_call("satisfied")]
    for _ in range(2):
        recorder = Recorder(database_url, "follow_up", KEYS, clock=lambda: AT)
        recorder.record(calls)
        recorder.close()
    assert len(listed(engine)) == 5


def test_neither_evaluation_nor_case_is_stored_where_the_case_cannot_be(engine: Engine) -> None:
    of = contact(engine)
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE case_standing RENAME TO elsewhere"))
    with pytest.raises(StoreUnavailable):
        rate(engine, of)
    assert list(evaluations(engine, Page())) == []


def test_the_way_of_a_case_that_is_rectified(engine: Engine) -> None:
    case, place = opened_case(engine), office(engine)
    go(place, case, "verify", "call_back", "rectify")
    go(place, case, "rectified", at=AT + timedelta(days=2))
    go(place, case, "call_back", "close", at=AT + timedelta(days=3))
    (row,) = listed(engine)
    assert (row.state, row.due, row.seq) == ("closed", None, 8)
    assert (row.called_back_at, row.rectified_at, row.closed_at) == (
        LATER,
        AT + timedelta(days=2),
        AT + timedelta(days=3),
    )
    found = details(engine, case, CIPHER, AT)
    assert [event.act for event in found.events] == [
        "open",
        "verify",
        "call_back",
        "rectify",
        "rectified",
        "ask_again",
        "call_back",
        "close",
    ]
    assert found.events[3].note == "请整改"
    assert [(offer.round, offer.contact) for offer in found.follow_ups] == [(2, row.contact)]


def test_words_are_sealed_in_the_database(engine: Engine) -> None:
    case = opened_case(engine)
    go(office(engine), case, "verify", "call_back")
    with reading(engine) as connection:
        (note,) = connection.scalars(select(CaseEvent.note).where(CaseEvent.note.is_not(None)))
    assert "电话已接通".encode() not in note


def test_a_department_reads_only_the_words_meant_for_it(engine: Engine) -> None:
    case = opened_case(engine)
    go(office(engine), case, "verify", "call_back", "rectify", "rectified")
    notes = {event.act: event.note for event in details(engine, case, CIPHER, AT, DEPARTMENT).events}
    assert (notes["call_back"], notes["rectify"], notes["rectified"]) == (None, "请整改", "已重新办理")


def test_a_case_is_found_by_its_evaluation_and_a_wrong_name_is_told(engine: Engine) -> None:
    case = opened_case(engine)
    (row,) = listed(engine)
    assert details(engine, row.evaluation, CIPHER, AT).case.id == case
    for wanted in ("nothing", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            details(engine, wanted, CIPHER, AT)
    with pytest.raises(NotFound):
        act(office(engine), "00000000-0000-0000-0000-000000000000", WAY["verify"], AT)


def test_not_adopted_leaves_the_index_and_the_row_stays(engine: Engine, shelf: Shelf) -> None:
    case, place = opened_case(engine), office(engine)
    go(place, case, "verify")
    act(place, case, propose(evidence(engine, shelf, case)), LATER)
    (row,) = evaluations(engine, Page())
    assert row.adopted
    assert refusal(engine, case, replace(WAY["confirm"], actor="Wang")) is Refusal.NEEDS_OTHER_PERSON
    act(place, case, WAY["confirm"], LATER)
    (row,) = evaluations(engine, Page())
    assert (row.grade, row.adopted) == ("dissatisfied", False)
    with reading(engine) as connection:
        decision = connection.execute(select(Decision.__table__)).one()
    assert (decision.by, decision.second, decision.reason, decision.adopted) == ("wang", "zhao", "misjudged", False)
    go(place, case, "reopen")
    (row,) = evaluations(engine, Page())
    assert row.adopted


def test_two_persons_at_one_terminal_are_still_two_persons(engine: Engine, shelf: Shelf) -> None:
    case, place = opened_case(engine), office(engine)
    go(place, case, "verify")
    proof = evidence(engine, shelf, case)
    assert refusal(engine, case, propose(proof, second="ＷANG")) is Refusal.NEEDS_OTHER_PERSON
    after = act(place, case, propose(proof, second="zhao", reason=Reason.MALICIOUS), LATER)
    assert (after.state, after.adopted, after.reason) == (State.NOT_ADOPTED, False, Reason.MALICIOUS)
    assert refusal(engine, case, replace(WAY["note"], second="li")) is Refusal.NOT_NOW


def test_evidence_is_a_file_of_this_very_case(engine: Engine, shelf: Shelf) -> None:
    case, other = opened_case(engine), opened_case(engine)
    go(office(engine), case, "verify")
    assert refusal(engine, case, propose(evidence(engine, shelf, other))) is Refusal.NEEDS_EVIDENCE


def test_nobody_acts_as_the_system_or_as_the_evaluator(engine: Engine) -> None:
    case = opened_case(engine)
    for role in (Role.SYSTEM, Role.EVALUATOR):
        assert refusal(engine, case, Wish(Act.NOTE, "x", role, note="x")) is Refusal.NOT_YOURS


def test_an_objection_in_time_is_recorded_with_its_file_and_its_deadlines(engine: Engine, shelf: Shelf) -> None:
    case, place = opened_case(engine), office(engine)
    proof = evidence(engine, shelf, case)
    filed_at = listed(engine)[0].objection_until
    act(place, case, replace(WAY["object"], evidence=proof), filed_at)
    (made,) = objections(engine, case)
    assert (made["by"], made["attachment"], made["filed_at"], made["until"]) == ("sun", proof, filed_at, filed_at)
    assert f"{made['decide_due']:%Y-%m-%d %H:%M}" == "2026-12-01 15:59"
    (row,) = listed(engine)
    assert (row.objection, row.state) == ("filed", "received")
    uphold = Wish(Act.UPHOLD, "zhao", REVIEWER, note="属实", reason=Reason.MISJUDGED)
    act(place, case, uphold, filed_at)
    assert refusal(engine, case, WAY["confirm"], timedelta(days=5)) is Refusal.NEEDS_OTHER_PERSON
    after = act(place, case, replace(WAY["confirm"], actor="qian"), filed_at)
    assert not after.adopted


def test_an_objection_after_its_time_is_refused(engine: Engine) -> None:
    case = opened_case(engine)
    assert refusal(engine, case, WAY["object"], timedelta(days=5)) is Refusal.OBJECTION_LATE
    assert objections(engine, case) == []


def test_a_follow_up_that_is_bad_again_reopens_its_case(engine: Engine) -> None:
    of = contact(engine)
    case, place = opened_case(engine, of), office(engine)
    go(place, case, "verify", "call_back", "rectify", "rectified", "call_back", "close")
    again = AT + timedelta(days=4)
    evaluation = rate(engine, of, "very_dissatisfied", again)
    (row,) = listed(engine)
    assert (row.id, row.state, row.cycle, row.called_back_at) == (case, "reopened", 2, None)
    assert row.call_back_due == again + timedelta(hours=48)
    with reading(engine) as connection:
        cycle = connection.execute(select(CaseCycle.__table__).where(CaseCycle.cycle == 2)).one()
    assert cycle.evaluation == evaluation


def test_a_follow_up_that_is_good_is_told_to_the_case(engine: Engine) -> None:
    of = contact(engine)
    case = opened_case(engine, of)
    go(office(engine), case, "verify", "call_back", "rectify", "rectified")
    evaluation = rate(engine, of, "satisfied", AT + timedelta(days=4))
    (row,) = listed(engine)
    assert (row.state, row.cycle) == ("rectified", 1)
    last = details(engine, case, CIPHER, AT).events[-1]
    assert (last.act, last.role, last.data) == ("evaluated_again", "evaluator", {"evaluation": evaluation})


def test_a_second_bad_evaluation_that_no_case_asked_for_opens_its_own(engine: Engine) -> None:
    of = contact(engine)
    opened_case(engine, of)
    rate(engine, of, at=AT + timedelta(hours=2))
    assert [row.state for row in listed(engine)] == ["received", "received"]


def test_a_bad_follow_up_that_finds_its_case_being_verified_opens_its_own(engine: Engine) -> None:
    of = contact(engine)
    case, place = opened_case(engine, of), office(engine)
    go(place, case, "verify", "rectify", "rectified", "reopen", "verify")
    rate(engine, of, at=AT + timedelta(days=1))
    assert [(row.state, row.cycle) for row in listed(engine)] == [("verifying", 2), ("received", 1)]


def test_a_round_that_is_offered_already_is_not_offered_twice(engine: Engine) -> None:
    case = opened_case(engine)
    go(office(engine), case, "verify", "rectify", "rectified", "send_back", "rectified")
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(FollowUp)) == 1


@pytest.mark.parametrize("act_of_both", ["verify", "note"])
def test_of_two_who_act_at_once_on_what_they_saw_one_wins_and_the_other_is_told(
    engine: Engine, database_url: str, opened: Opened, act_of_both: str
) -> None:
    case = opened_case(engine)
    start = Barrier(2)

    def try_it(name: str) -> Refusal | None:
        own = office(opened(database_url))
        start.wait()
        try:
            act(own, case, replace(WAY[act_of_both], actor=name, seq=1), LATER)
        except CaseRefused as refused:
            return refused.refusal
        return None

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(try_it, ["wang", "li"]))
    assert sorted(found, key=str) == [None, Refusal.OVERTAKEN]
    assert listed(engine)[0].seq == 2


def test_acts_and_ballots_on_one_contact_take_turns(engine: Engine, database_url: str, opened: Opened) -> None:
    of = contact(engine)
    case = opened_case(engine, of)
    go(office(engine), case, "verify", "rectify", "rectified")

    def tell(count: int) -> None:
        act(office(opened(database_url)), case, replace(WAY["note"], actor=f"person {count}"), LATER)

    def speak(count: int) -> None:
        rate(opened(database_url), of, "satisfied" if count else "dissatisfied", AT + timedelta(hours=count))

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(does, count) for count in range(6) for does in (tell, speak)]
    for job in jobs:
        job.result()
    with reading(engine) as connection:
        events = connection.scalar(select(func.count()).select_from(CaseEvent).where(CaseEvent.case == case))
        assert fold(history(connection, case)).seq == events


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=st.lists(st.sampled_from(sorted(WAY)), max_size=20))
def test_whatever_is_tried_the_standing_is_the_fold_of_the_events(engine: Engine, tries: list[str]) -> None:
    case, place, now = opened_case(engine), office(engine), AT
    for name in tries:
        now += timedelta(hours=7)
        try:
            after = act(place, case, WAY[name], now)
        except CaseRefused:
            continue
        with reading(engine) as connection:
            assert fold(history(connection, case)) == after
    with reading(engine) as connection:
        found = fold(history(connection, case))
        standing = connection.execute(select(CaseStanding.__table__).where(CaseStanding.case == case)).one()
        cycle = connection.execute(
            select(CaseCycle.__table__).where(CaseCycle.case == case, CaseCycle.cycle == found.cycle)
        ).one()
    assert (standing.state, standing.seq, standing.cycle) == (found.state, found.seq, found.cycle)
    assert (standing.adopted, standing.objection) == (found.adopted, found.objection.state)
    assert (cycle.called_back_at, cycle.rectified_at, cycle.closed_at) == (
        found.called_back_at,
        found.rectified_at,
        found.closed_at,
    )


def test_every_step_is_in_the_ledger_and_an_edited_one_is_named(engine: Engine, shelf: Shelf) -> None:
    case, place = opened_case(engine), office(engine)
    go(place, case, "verify")
    act(place, case, propose(evidence(engine, shelf, case), second="zhao"), LATER)
    go(place, case, "reopen", "verify", "rectify", "rectified", "object")
    assert list(verify(engine, KEYS)) == []
    with writing(engine) as connection:
        connection.execute(text("UPDATE case_event SET actor = 'nobody' WHERE seq = 2"))
    (finding,) = verify(engine, KEYS)
    assert finding.table == "case_event"


def test_timeliness_counts_every_bad_evaluation_once(engine: Engine) -> None:
    place = office(engine)
    prompt, late, idle = (opened_case(engine) for _ in range(3))
    go(place, prompt, "verify", "call_back", "rectify", "rectified")
    go(place, late, "verify", "call_back", at=AT + timedelta(hours=49))
    begins, now = AT - timedelta(days=1), AT + timedelta(days=20)
    found = timeliness(engine, begins, now, now)
    assert found == Timeliness(
        bad=3,
        called_back_in_time=1,
        called_back_late=1,
        call_back_due=3,
        rectified_in_time=1,
        rectified_late=0,
        rectify_due=3,
        closed=0,
    )
    early = timeliness(engine, begins, now, AT + timedelta(hours=2), "住建局")
    assert (early.bad, early.call_back_due, early.rectify_due) == (3, 2, 1)
    assert timeliness(engine, begins, now, now, "税务局").bad == timeliness(engine, now, now, now).bad == 0
    with reading(engine) as connection:
        rows = connection.execute(cycles()).mappings().all()
    assert {row["case"] for row in rows} == {prompt, late, idle}
    assert {row["adopted"] for row in rows} == {True}


def test_cases_are_listed_by_what_is_due_next(engine: Engine) -> None:
    first, second, closed = (opened_case(engine, at=AT + timedelta(hours=hours)) for hours in (0, 1, 2))
    go(office(engine), first, "verify", "call_back")
    go(office(engine), closed, "verify", "explain", "call_back", "close")
    due = [row.id for row in listed(engine, due=AT + timedelta(days=30))]
    assert due == [second, first]
    assert [row.id for row in listed(engine, states=[State.CLOSED])] == [closed]
    assert [row.id for row in listed(engine, due=AT + timedelta(days=3))] == [second]
    late = {row.id: row.late for row in listed(engine, AT + timedelta(days=4))}
    assert late == {first: False, second: True, closed: False}
    assert listed(engine, department="税务局") == []


def test_an_attachment_comes_back_as_it_was_and_lies_sealed_on_disk(engine: Engine, shelf: Shelf) -> None:
    case, place = opened_case(engine), office(engine)
    kept = attach(place, shelf, case, PDF, name="../证据\x07.pdf", by="wang", now=AT)
    assert (kept.name, kept.media_type, kept.size) == ("证据.pdf", "application/pdf", len(PDF))
    assert fetch(place, shelf, case, kept.id) == (kept, PDF)
    (file,) = shelf.folder.rglob("*.sealed")
    assert b"proof" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    sealed = file.read_bytes()
    file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(CipherError):
        fetch(place, shelf, case, kept.id)
    file.unlink()
    with pytest.raises(StoreUnavailable):
        fetch(place, shelf, case, kept.id)
    with pytest.raises(NotFound):
        fetch(place, shelf, opened_case(engine), kept.id)


@pytest.mark.parametrize("data", [b"", b"MZ\x90\x00", b"<html>", b"%PDF-" + bytes(2**20)])
def test_an_empty_large_or_unknown_file_is_not_taken(engine: Engine, shelf: Shelf, data: bytes) -> None:
    with pytest.raises(NotTakeable, match="attach a"):
        attach(office(engine), shelf, opened_case(engine), data, name="x", by="wang", now=AT)
    assert not shelf.folder.exists()


def test_a_file_is_what_it_begins_with_and_its_name_is_no_path() -> None:
    assert kind(b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert plain_name("C:\\tmp\\a.pdf") == "a.pdf"
    assert plain_name("..") == "attachment"
    assert len(plain_name("x" * 500)) == 200


def test_nothing_of_a_case_is_ever_overwritten(engine: Engine) -> None:
    case = opened_case(engine)
    with reading(engine) as connection:
        before = connection.execute(select(CaseFile.__table__)).all()
        first = connection.execute(select(CaseEvent.__table__)).all()
    go(office(engine), case, "verify", "rectify", "rectified", "call_back", "close", "reopen")
    with reading(engine) as connection:
        assert connection.execute(select(CaseFile.__table__)).all() == before
        assert connection.execute(select(CaseEvent.__table__).order_by(CaseEvent.seq).limit(1)).all() == first


def test_the_roles_of_the_way_are_those_of_the_table() -> None:
    assert {wish.role for wish in WAY.values()} == {TEAM, DEPARTMENT, REVIEWER}
