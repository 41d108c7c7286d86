"""The clock's work on both databases: nothing too early, everything once, whatever stops on the way."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

import pytest
from case_office import AT, KEYS, WAY, YEAR_2027, contact, go, listed, office, opened_case, rate
from sqlalchemy import Engine, func, select, text

from store import deemed, department_watch, job_turn
from store.audit import verify
from store.calendar import WorkCalendar, read_year
from store.case import CaseRefused, Role
from store.case_act import act
from store.case_policy import Policy
from store.case_query import details, reminders
from store.contact import CIVIL_TIME
from store.database import reading, writing
from store.errors import NotFound
from store.job_turn import Turn
from store.jobs import Done, Job, clockwork, run
from store.low_index import Limits, month_before
from store.privacy import FieldCipher
from store.query import Page, evaluations
from store.query import contact as shown
from store.schema import Contact, Evaluation, JobTurn, Lease, ReminderRecord
from store.upgrade import downgrade, upgrade

Opened = Callable[[str], Engine]
WEEK_OVER = datetime(2026, 11, 27, 23, 59, 59, 999999, CIVIL_TIME)  # the end of the 7th day after AT


@pytest.fixture
def engine(database_url: str, opened: Opened) -> Engine:
    return opened(database_url)


def work(engine: Engine, now: datetime, *, deeming: bool = True, policy: Policy | None = None) -> dict[str, int]:
    jobs = clockwork(deeming=deeming, limits=Limits(60.0, 2))
    done = run(office(engine, policy), jobs, "test", now, stopped=lambda: False)
    return {each.job: each.rows for each in done}


def outcome(engine: Engine, of: str, now: datetime = AT) -> str | None:
    return shown(engine, of, None, now).outcome


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deemed, "BATCH", 7)
    monkeypatch.setattr("store.case_clock.BATCH", 3)


def test_seven_days_without_a_word_are_deemed_basically_satisfied_and_say_so(engine: Engine) -> None:
    of = contact(engine)
    assert work(engine, WEEK_OVER)["deemed"] == 0
    assert work(engine, WEEK_OVER + timedelta(microseconds=1))["deemed"] == 1
    (row,) = evaluations(engine, Page())
    assert (row.contact, row.grade, row.deemed, row.round) == (of, "basically_satisfied", True, 1)
    assert (row.channel, row.key, row.adopted) == ("system", None, True)
    assert row.answered_at == row.recorded_at == WEEK_OVER + timedelta(microseconds=1)
    assert outcome(engine, of) == "deemed"
    with reading(engine) as connection:
        assert connection.scalar(select(Evaluation.department)) == "住建局"
    assert listed(engine) == []
    assert list(verify(engine, KEYS)) == []


def test_deeming_twice_deems_once_and_can_be_off(engine: Engine) -> None:
    of = contact(engine)
    later = AT + timedelta(days=9)
    assert "deemed" not in work(engine, later, deeming=False)
    assert outcome(engine, of) == "not_offered"
    assert [work(engine, later)["deemed"] for _ in range(3)] == [1, 0, 0]


def test_whoever_gave_a_grade_is_not_deemed_to_have_given_another(engine: Engine) -> None:
    good, bad, silent, none = (contact(engine) for _ in range(4))
    rate(engine, good, "satisfied")
    rate(engine, bad, "dissatisfied")
    rate(engine, silent, None)
    assert work(engine, AT + timedelta(days=8))["deemed"] == 2
    assert [outcome(engine, of) for of in (good, bad, silent, none)] == ["rated", "rated", "deemed", "deemed"]


def test_a_grade_given_in_time_and_delivered_late_is_the_first_evaluation(engine: Engine) -> None:
    of = contact(engine)
    work(engine, AT + timedelta(days=8))
    evaluation = rate(engine, of, "very_satisfied", AT + timedelta(days=9))
    rows = {row.id: row for row in evaluations(engine, Page())}
    assert len(rows) == 2
    assert (rows[evaluation].round, rows[evaluation].deemed) == (1, False)
    assert outcome(engine, of) == "rated"


def test_a_silent_call_delivered_late_takes_nothing_back(engine: Engine) -> None:
    of = contact(engine)
    work(engine, AT + timedelta(days=8))
    rate(engine, of, None, AT + timedelta(days=9))
    assert outcome(engine, of) == "deemed"
    assert work(engine, AT + timedelta(days=10))["deemed"] == 0


def test_a_contact_of_the_first_schema_is_waited_for_as_long(engine: Engine) -> None:
    of = contact(engine)
    downgrade(engine, "0001")
    upgrade(engine)
    assert work(engine, WEEK_OVER)["deemed"] == 0
    assert work(engine, WEEK_OVER + timedelta(microseconds=1))["deemed"] == 1
    assert outcome(engine, of) == "deemed"


def test_a_seventh_day_that_is_not_worked_may_roll_to_the_next_worked_one(engine: Engine) -> None:
    contact(engine, datetime(2026, 9, 24, 2, tzinfo=UTC))  # its 7th day is National Day; worked again on 10-08
    roll = Policy(roll=True)
    assert work(engine, datetime(2026, 10, 8, 15, 59, tzinfo=UTC), policy=roll)["deemed"] == 0
    assert work(engine, datetime(2026, 10, 8, 16, 0, tzinfo=UTC), policy=roll)["deemed"] == 1


def test_a_token_that_ran_out_unasked_is_an_offer_that_was_not_made(engine: Engine) -> None:
    unasked, asked, late = (contact(engine) for _ in range(3))
    with writing(engine) as connection:
        holder = connection.scalar(select(Contact.credential))
        assert holder is None
        connection.execute(
            text(
                "INSERT INTO channel_credential (id, name, channel, scopes, created_at)"
                " VALUES (:id, 'sms', 'sms', '', '2026-11-20 00:00:00')"
            ),
            {"id": asked if connection.dialect.name == "postgresql" else asked.replace("-", "")},
        )
        row = {"contact": asked, "credential": asked, "channel": "sms", "taken_at": AT, "until": AT}
        connection.execute(Lease.__table__.insert().values(row))
    assert work(engine, AT + timedelta(hours=23))["expired"] == 0
    assert work(engine, AT + timedelta(hours=24))["expired"] == 3
    assert (outcome(engine, unasked), outcome(engine, asked)) == ("not_offered", "expired")
    rate(engine, late, None, AT + timedelta(hours=5))
    assert outcome(engine, late) == "silent"


def test_reminders_come_before_and_after_each_deadline_once(engine: Engine, small_batches: None) -> None:
    names = [opened_case(engine) for _ in range(7)]
    assert work(engine, AT + timedelta(hours=35))["reminded"] == 0
    for hours in (36, 37, 48, 49):
        work(engine, AT + timedelta(hours=hours))
    found = [(row.case, row.duty, row.side, row.to) for row in reminders(engine, Page())]
    assert sorted(found) == sorted(
        (name, "call_back", side, "case_team") for name in names for side in ("before", "after")
    )
    assert list(verify(engine, KEYS)) == []


def test_after_a_stop_the_clock_catches_up_and_reminds_of_nothing_that_is_over(engine: Engine) -> None:
    case = opened_case(engine)
    work(engine, AT + timedelta(days=30))
    found = {(row.duty, row.side) for row in reminders(engine, Page())}
    assert found == {("call_back", "after"), ("rectify", "after"), ("object", "after")}
    assert {row.at for row in details(engine, case, FieldCipher(KEYS.fields), AT).reminders} == {
        AT + timedelta(days=30)
    }


def test_what_was_done_is_not_reminded_of_and_what_is_next_is(engine: Engine) -> None:
    case = opened_case(engine)
    go(office(engine), case, "verify", "call_back", "rectify")
    work(engine, AT + timedelta(days=13))
    assert ("rectify", "before", "department") in [(row.duty, row.side, row.to) for row in reminders(engine, Page())]
    assert "call_back" not in [row.duty for row in reminders(engine, Page())]


def test_a_provisional_deadline_is_settled_when_the_years_days_are_published(engine: Engine) -> None:
    received = datetime(2026, 12, 30, 2, tzinfo=UTC)
    case = opened_case(engine, at=received)
    (row,) = listed(engine)
    assert row.provisional
    tomorrow = received + timedelta(days=1)
    assert work(engine, tomorrow)["recounted"] == 0
    published = Policy(WorkCalendar([read_year(YEAR_2027, "2027.yaml")]))
    assert [work(engine, tomorrow, policy=published)["recounted"] for _ in range(2)] == [1, 0]
    (row,) = listed(engine)
    assert not row.provisional
    assert f"{row.objection_until.astimezone(CIVIL_TIME):%Y-%m-%d %H:%M}" == "2027-01-05 23:59"
    assert details(engine, case, FieldCipher(KEYS.fields), AT).events[-1].act == "recount"


def test_an_objection_after_a_supposed_deadline_is_heard(engine: Engine) -> None:
    received = datetime(2026, 12, 30, 2, tzinfo=UTC)
    case = opened_case(engine, at=received)
    after = act(office(engine), case, WAY["object"], received + timedelta(days=8))
    assert after.objection.by == "sun"


def test_departments_with_a_low_index_are_warned_once_for_a_month(engine: Engine) -> None:
    october = datetime(2026, 10, 12, 2, tzinfo=UTC)
    for department, grades in {
        "住建局": ["very_dissatisfied", "dissatisfied", "satisfied"],
        "税务局": ["very_satisfied", "satisfied"],
        "小单位": ["very_dissatisfied"],
    }.items():
        for grade in grades:
            rate(engine, contact(engine, october, department=department), grade, october)
    rate(engine, None, "very_dissatisfied", october)
    november = datetime(2026, 11, 2, 1, tzinfo=UTC)
    assert [work(engine, november + timedelta(days=day))["warned"] for day in range(3)] == [1, 0, 0]
    (row,) = department_watch.warnings(engine, Page())
    assert (row.department, row.index, row.count, row.threshold) == ("住建局", 33.33, 3, 60.0)
    assert row.period_begins == datetime(2026, 10, 1, tzinfo=CIVIL_TIME)

    place = office(engine)
    held = department_watch.Held(row.id, "zhao", Role.REVIEWER, "约谈张局长")
    department_watch.interview(place, held, november)
    with pytest.raises(CaseRefused):
        department_watch.interview(place, replace(held, role=Role.DEPARTMENT), november)
    for unknown in ("00000000-0000-0000-0000-000000000000", "nothing"):
        with pytest.raises(NotFound):
            department_watch.interview(place, replace(held, warning=unknown), november)
        with pytest.raises(NotFound):
            department_watch.interviews(engine, unknown, FieldCipher(KEYS.fields))
    (found,) = department_watch.interviews(engine, row.id, FieldCipher(KEYS.fields))
    assert (found.by, found.note) == ("zhao", "约谈张局长")
    assert department_watch.warnings(engine, Page())[0].interviews == 1
    assert list(verify(engine, KEYS)) == []


def test_deemed_and_not_adopted_evaluations_warn_nobody(engine: Engine) -> None:
    contact(engine, datetime(2026, 10, 12, 2, tzinfo=UTC))
    work(engine, datetime(2026, 10, 28, tzinfo=UTC))
    assert department_watch.warn(office(engine), month_before(AT), Limits(60.0, 1), AT) == 0


def test_several_processes_do_everything_once(engine: Engine, database_url: str, opened: Opened) -> None:
    for _ in range(30):
        contact(engine)
    for _ in range(8):
        opened_case(engine)
    later = AT + timedelta(days=9)

    def one(number: int) -> None:
        jobs = clockwork(deeming=True, limits=Limits())
        for _ in range(3):
            run(office(opened(database_url)), jobs, f"process {number}", later, stopped=lambda: False)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(4)))
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).where(Evaluation.deemed)) == 30
        rows = connection.execute(select(ReminderRecord.case, ReminderRecord.duty, ReminderRecord.side)).all()
    assert len(rows) == len(set(rows)) == 16
    assert list(verify(engine, KEYS)) == []


def test_a_turn_is_one_process_at_a_time_and_a_dead_ones_ends_by_itself(engine: Engine) -> None:
    mine, other = Turn("job", "a"), Turn("job", "b")
    assert job_turn.take(engine, mine, AT)
    assert job_turn.take(engine, mine, AT)
    assert not job_turn.take(engine, other, AT + job_turn.LEASE - timedelta(seconds=1))
    assert job_turn.take(engine, other, AT + job_turn.LEASE)
    job_turn.give_back(engine, mine, AT, done=True)
    assert not job_turn.take(engine, mine, AT + job_turn.LEASE)
    assert job_turn.done_on(engine, "job") is None
    job_turn.give_back(engine, other, AT, done=True)
    assert job_turn.done_on(engine, "job") == AT.astimezone(CIVIL_TIME).date()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_that_another_process_does_is_left_to_it(engine: Engine) -> None:
    contact(engine)
    later = AT + timedelta(days=9)
    assert job_turn.take(engine, Turn("deemed", "other"), later)
    jobs = clockwork(deeming=True, limits=Limits())
    assert run(office(engine), jobs[:1], "test", later, stopped=lambda: False) == [Done("deemed", 0, left=True)]


def test_a_stop_ends_a_job_between_two_batches_and_the_rest_is_done_later(engine: Engine, small_batches: None) -> None:
    for _ in range(20):
        contact(engine)
    later, stop = AT + timedelta(days=9), Flag()

    def batches(place: object, now: datetime) -> Iterator[int]:
        for count in jobs[0].batches(office(engine), now):
            stop.set()
            yield count

    jobs = clockwork(deeming=True, limits=Limits())
    stoppable = [Job("deemed", batches), *jobs[1:]]
    done = run(office(engine), stoppable, "test", later, stopped=stop.is_set)
    assert done == [Done("deemed", 7)]
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).where(JobTurn.holder.is_not(None))) == 0
    assert work(engine, later)["deemed"] == 13
