"""The rollups say what counting row by row says, after any history, folded at any moment."""

import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from settled_calls import settled_call
from sqlalchemy import Engine, select

from store.appraisal import appraise
from store.ballot_box import evaluation_row, put
from store.call import Match
from store.case_mix import Stratum, standings
from store.contact import NewContact
from store.database import reading, writing
from store.figure_count import rows
from store.figure_rollup import Cube, counted, fold, mark, rebuild
from store.grade import Grade
from store.ledger import head, keep
from store.period import ALWAYS, Days
from store.rates import good
from store.record import Recorded, Recorder
from store.register import register
from store.schema import CaseEvent, CaseFile, Decision, FigureCell
from store.secret import derive
from store.statistics import By, Group, Question, answer, total

KEYS = derive(b"\x01" * 32)
FIRST = datetime(2026, 8, 30, 15, 30, tzinfo=UTC)  # half past eleven at night in Siping
LATER = datetime(2027, 6, 1, tzinfo=UTC)  # every deadline has run out
Opened = Callable[[str], Engine]

QUESTIONS = [
    Question(),
    Question(by=(By.DAY,)),
    Question(by=(By.MONTH, By.DEPARTMENT)),
    Question(by=(By.DEPARTMENT, By.CHANNEL)),
    Question(by=(By.ITEM,)),
    Question(by=(By.MONTH, By.OPERATOR)),
    Question(by=(By.OPERATOR, By.ITEM)),
    Question(by=(By.DAY, By.OPERATOR)),
    Question(by=(By.OPERATOR,), where={By.DEPARTMENT: "housing"}),
    Question(where={By.CHANNEL: "ivr"}),
    Question(Days(date(2026, 9, 11), date(2026, 11, 3)), by=(By.DEPARTMENT,)),
    Question(Days(until=date(2026, 9, 12)), by=(By.MONTH,), where={By.DEPARTMENT: "housing"}),
    Question(Days(date(2026, 9, 11), date(2026, 11, 3)), by=(By.ITEM,)),
    Question(Days(date(2026, 9, 11), date(2026, 9, 20)), by=(By.OPERATOR,)),
    Question(Days(date(2026, 9, 1), date(2026, 10, 1)), by=(By.DAY, By.CHANNEL)),
    Question(Days(until=date(2026, 10, 1)), by=(By.ITEM, By.CHANNEL)),
]


@dataclass
class City:
    """A store to which anything may happen, by the code that does it in earnest."""

    engine: Engine
    url: str
    chance: random.Random
    now: datetime = FIRST
    contacts: list[str] = field(default_factory=list)
    evaluations: list[str] = field(default_factory=list)
    rounds: dict[str, int] = field(default_factory=dict)

    def id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def live(self, steps: int) -> None:
        acts = (self.register, self.register, self.call, self.call, self.tap, self.deem, self.decide, self.act, fold)
        for _ in range(steps):
            self.now += timedelta(hours=self.chance.choice((0, 1, 9, 30)), microseconds=self.chance.randrange(10**6))
            act = self.chance.choice(acts)
            fold(self.engine) if act is fold else act()  # type: ignore[operator]

    def register(self) -> None:
        codes = {
            "department": self.chance.choice(("housing", "water", None)),
            "item": self.chance.choice(("permit", "leak", None)),
            "operator": self.chance.choice(("1001", "1002")),
        }
        made = register(self.engine, KEYS, NewContact(**codes), now=self.now, expires_at=self.now + timedelta(days=1))
        self.contacts.append(made.id)

    def call(self) -> None:
        grade = self.chance.choice((*Grade, None))
        bound = self.contacts and self.chance.random() < 0.8
        changes: dict[str, Any] = {"match": Match.TOKEN, "contact": self.chance.choice(self.contacts)} if bound else {}
        call = settled_call(grade, id=self.id(), attempts=self.chance.choice((0, 1, 3)), **changes)
        with closing(Recorder(self.url, "follow_up", KEYS, clock=lambda: self.now)) as recorder:
            (report,) = recorder.record([call])
        if isinstance(report, Recorded) and report.evaluation:
            self.evaluations.append(call.id)
            if call.contact:
                self.rounds[call.contact] = report.round or 0

    def tap(self) -> None:
        if self.contacts:
            contact = self.chance.choice(self.contacts)
            self.rounds[contact] = self.rounds.get(contact, 0) + 1
            self._put(contact, self.chance.choice(list(Grade)), self.rounds[contact], channel="window")

    def deem(self) -> None:
        silent = [contact for contact in self.contacts if contact not in self.rounds]
        if silent:
            contact = self.chance.choice(silent)
            self.rounds[contact] = 0
            self._put(contact, Grade.BASICALLY_SATISFIED, 1, channel="none", deemed=True)

    def _put(self, contact: str, grade: Grade, round_: int, **values: Any) -> None:
        codes = {"department": self.chance.choice(("housing", None)), "item": "permit", "operator": "1001"}
        row = evaluation_row(
            id=self.id(), contact=contact, grade=grade, round=round_, match="token", answered_at=self.now,
            recorded_at=self.now, **codes, **values,
        )  # fmt: skip
        with writing(self.engine) as connection:
            put(connection, KEYS, [row], self.now)
        self.evaluations.append(row["id"])

    def decide(self) -> None:
        if self.evaluations:
            row = {
                "id": self.id(), "evaluation": self.chance.choice(self.evaluations), "reason": "misjudged",
                "adopted": self.chance.random() < 0.3, "evidence": {}, "by": "a", "second": "b",
                # a decision of another server may be dated before one that was entered earlier
                "at": self.now - timedelta(seconds=self.chance.choice((0, 0, 90000))),
            }  # fmt: skip
            with writing(self.engine) as connection:
                keep(connection, KEYS, Decision, [row], self.now)

    def act(self) -> None:
        with writing(self.engine) as connection:
            cases = connection.execute(select(CaseFile.id, CaseFile.call_back_due).order_by(CaseFile.id)).all()
            if not cases:
                return
            case = self.chance.choice(cases)
            past = select(CaseEvent.seq).where(CaseEvent.case == case.id)
            row = {
                "id": self.id(), "case": case.id, "seq": max(connection.scalars(past)) + 1, "role": "case_team",
                "act": self.chance.choice(("call_back", "rectified", "explain", "note")), "actor": "a",
                "at": case.call_back_due + timedelta(hours=self.chance.choice((-1, 0, 1, 400))), "note": None,
                "credential": None, "data": {},
            }  # fmt: skip
            keep(connection, KEYS, CaseEvent, [row], self.now)


@pytest.fixture
def city(request: pytest.FixtureRequest, database_url: str, opened: Opened) -> City:
    return City(opened(database_url), database_url, random.Random(getattr(request, "param", 1)))


def by_rows(engine: Engine, question: Question, now: datetime, monkeypatch: pytest.MonkeyPatch) -> list[Group]:
    """The same question, with every rollup out of reach."""
    with monkeypatch.context() as patched:
        patched.setattr("store.statistics._cube", lambda _question: None)
        return answer(engine, question, now)


def cells(engine: Engine, cube: Cube) -> dict[Sequence[Any], int]:
    with reading(engine) as connection:
        table = FigureCell.__table__
        stored = select(table).where(FigureCell.cube == cube, FigureCell.count != 0)
        return {tuple(row[:-1]): row[-1] for row in connection.execute(stored)}


def recounted(engine: Engine, cube: Cube) -> dict[Sequence[Any], int]:
    with reading(engine) as connection:
        return {tuple(row[:-1]): row[-1] for row in connection.execute(counted(cube, rows(ALWAYS)))}


@pytest.mark.parametrize("city", range(4), indirect=True)
def test_after_any_history_rollups_and_rows_agree(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        city.live(40)
        # in the middle of things some deadlines have run out and some have not
        for question, now in product(QUESTIONS, (city.now, LATER)):
            assert answer(city.engine, question, now) == by_rows(city.engine, question, now, monkeypatch), question
    while fold(city.engine).left:
        pass
    for cube in Cube:
        assert cells(city.engine, cube) == recounted(city.engine, cube)
    assert total(answer(city.engine, Question(), LATER)).owed == len(city.contacts)


def test_counting_anew_gives_the_same_rollups_and_the_mark_of_the_ledgers_end(city: City) -> None:
    city.live(60)
    rebuild(city.engine)
    with reading(city.engine) as connection:
        assert mark(connection) == head(connection).seq
    for cube in Cube:
        assert cells(city.engine, cube) == recounted(city.engine, cube)
    city.live(30)
    while fold(city.engine).left:
        pass
    for cube in Cube:
        assert cells(city.engine, cube) == recounted(city.engine, cube)


@pytest.mark.parametrize("city", range(2), indirect=True)
def test_operators_are_compared_in_the_database_as_the_rule_says(city: City) -> None:
    city.live(120)
    for days in (ALWAYS, Days(date(2026, 9, 11), date(2026, 11, 3))):
        strata = [
            Stratum(group.key[0] or "", group.key[1], good(group.tally.given), sum(group.tally.given.values()))
            for group in answer(city.engine, Question(days, (By.OPERATOR, By.DEPARTMENT)), LATER)
            if group.tally.given
        ]
        found = appraise(city.engine, days, smallest=1)
        assert [replace(each, expected=None) for each in found] == [
            replace(each, expected=None) for each in standings(strata, smallest=1)
        ]
        for one, other in zip(found, standings(strata, smallest=1), strict=True):
            assert one.expected == pytest.approx(other.expected)
