"""The follow-up of a bad evaluation: its states, what may be done to it, by whom. Rule: values and words only.

PURE. DB2203/T 8-2024: 8.1 called back and verified within 48 h, rectified within 15 d; 9.1 a review starts at once; 9.2
explained, or not adopted; 9.3 the evaluated side may object. What an act does stands in `store.case_transitions`.
"""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from store.calendar import WorkCalendar
from store.deadline import Deadline, call_back_due, objection_until, rectify_due
from store.errors import StoreError


class State(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"  # 已受理: opened in the transaction that stored the evaluation
    VERIFYING = "verifying"  # 核实中: somebody of the case team has taken it
    RECTIFYING = "rectifying"  # 整改中: with the department
    RECTIFIED = "rectified"  # 已整改: the department says so
    EXPLAINED = "explained"  # 已解释: what was asked for has no ground in law (9.2)
    PROPOSED = "proposed"  # 拟不予采纳: waits for a second person
    NOT_ADOPTED = "not_adopted"  # 不予采纳: misjudged or malicious (9.2); the evaluation stays and leaves the index
    CALLED_BACK = "called_back"  # 已回访: the evaluator was told what came of it
    CLOSED = "closed"  # 已办结
    REOPENED = "reopened"  # 重新办理: on the evaluator's word


class Act(StrEnum):
    """What somebody does to a case; each is one event of its history."""

    OPEN = "open"
    VERIFY = "verify"
    ATTEMPT = "attempt"  # rang the evaluator and reached nobody
    CALL_BACK = "call_back"  # spoke with the evaluator: first to verify, at the end to tell what came of it
    RECTIFY = "rectify"  # hands it to the department
    RECTIFIED = "rectified"
    SEND_BACK = "send_back"  # the rectification does not suffice
    EXPLAIN = "explain"
    PROPOSE = "propose_not_adopted"
    CONFIRM = "confirm_not_adopted"
    DECLINE = "decline_not_adopted"
    CLOSE = "close"
    CLOSE_UNREACHED = "close_unreached"
    REOPEN = "reopen"
    OBJECT = "object"
    UPHOLD = "uphold_objection"
    REJECT = "reject_objection"
    ASK_AGAIN = "ask_again"  # a follow-up round was opened
    EVALUATED_AGAIN = "evaluated_again"
    RECOUNT = "recount"  # deadlines counted again with days published since
    NOTE = "note"


class Role(StrEnum):
    """As whom somebody acts."""

    CASE_TEAM = "case_team"  # 回访核实人员
    DEPARTMENT = "department"  # 承办单位, the evaluated side
    REVIEWER = "reviewer"  # 复核人员
    EVALUATOR = "evaluator"  # 评价人, through an evaluation only
    SYSTEM = "system"


class Reason(StrEnum):
    """Why an evaluation is not adopted (9.2)."""

    MISJUDGED = "misjudged"  # 误评
    MALICIOUS = "malicious"  # 恶意评价


class ObjectionState(StrEnum):
    """Where the evaluated side's objection stands (9.3)."""

    NONE = "none"
    FILED = "filed"
    UPHELD = "upheld"
    REJECTED = "rejected"


class Refusal(StrEnum):
    """Why an act is refused, for the edge to put into words."""

    NOT_NOW = "not_now"
    NOT_YOURS = "not_yours"
    NEEDS_NOTE = "needs_note"
    NEEDS_REASON = "needs_reason"
    NEEDS_EVIDENCE = "needs_evidence"
    NEEDS_OTHER_PERSON = "needs_other_person"
    NEEDS_ATTEMPTS = "needs_attempts"
    OBJECTION_OPEN = "objection_open"
    OBJECTION_MADE = "objection_made"
    OBJECTION_LATE = "objection_late"
    OVERTAKEN = "overtaken"  # somebody else was first


class CaseRefused(StoreError):
    """An act that changed nothing, and why."""

    def __init__(self, refusal: Refusal, sentence: str) -> None:
        """Take the code for machines and the sentence for people."""
        super().__init__(sentence)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When one cycle of a case is due, and until when the evaluated side may object to it."""

    call_back: Deadline
    rectify: Deadline
    objection: Deadline

    @property
    def provisional(self) -> bool:
        """Whether any of them rests on days nobody has published."""
        return any(each.provisional for each in (self.call_back, self.rectify, self.objection))


def deadlines(received_at: datetime, calendar: WorkCalendar, *, roll: bool = False) -> Deadlines:
    """Count the deadlines of a bad evaluation from when it was received."""
    rectify = rectify_due(received_at, calendar if roll else None)
    return Deadlines(call_back_due(received_at), rectify, objection_until(received_at, calendar))


@dataclass(frozen=True, slots=True)
class Event:
    """One act on a case. `noted`: it carries words, which are kept apart; `evidence` is an attachment's id."""

    act: Act
    actor: str
    role: Role
    at: datetime
    noted: bool = False
    reason: Reason | None = None
    evidence: str | None = None
    deadlines: Deadlines | None = None  # OPEN, REOPEN, RECOUNT
    decision: Deadline | None = None  # OBJECT, RECOUNT: when an objection is to be decided
    evaluation: str | None = None  # OPEN, REOPEN, EVALUATED_AGAIN


@dataclass(frozen=True, slots=True)
class Objection:
    """What the evaluated side has made of its right, in this cycle."""

    state: ObjectionState = ObjectionState.NONE
    by: str | None = None
    at: datetime | None = None
    evidence: str | None = None
    due: Deadline | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Where a case stands: the fold of its events, one after another."""

    state: State
    received_at: datetime  # of this cycle
    deadlines: Deadlines
    evaluation: str | None  # the one under review: the last that opened or reopened the case
    seq: int = 1  # events so far
    cycle: int = 1  # one more each time it is reopened
    called_back_at: datetime | None = None  # the first call back of this cycle (8.1)
    rectified_at: datetime | None = None
    closed_at: datetime | None = None
    attempts: int = 0  # calls that reached nobody, in this state
    proposer: str | None = None
    reason: Reason | None = None
    adopted: bool = True
    objection: Objection = Objection()

    @property
    def over(self) -> bool:
        """Whether nothing more is due."""
        return self.state is State.CLOSED

    def moved(self, state: State) -> "Case":
        """Give the case in another state; attempts count anew in each."""
        return self if state is self.state else replace(self, state=state, attempts=0)


def same_person(one: str | None, other: str) -> bool:
    """Compare names as people mean them: case, width and outer space make nobody another person."""
    return one is not None and _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
