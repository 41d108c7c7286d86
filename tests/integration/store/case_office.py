"""Bad evaluations and people who act on their cases, for the store's tests."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from settled_calls import settled_call
from sqlalchemy import Engine

from store.call import Match
from store.case import Act, Case, Reason, Role
from store.case_act import Office, Wish, act
from store.case_policy import Policy
from store.case_query import CaseRow, Wanted, cases
from store.contact import NewContact
from store.query import Page
from store.record import Recorded, Recorder
from store.register import register
from store.secret import derive

KEYS = derive(b"\x03" * 32)
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday, 10:00 in Siping
# not what was published, which nobody could know when this was written
YEAR_2027 = """
year: 2027
source: made up for tests
holidays: [2027-01-01/2027-01-04, 2027-02-05/2027-02-11, 2027-05-01, 2027-10-01/2027-10-07]
workdays: []
"""
TEAM, DEPARTMENT, REVIEWER = Role.CASE_TEAM, Role.DEPARTMENT, Role.REVIEWER

# a whole way through: what each act needs to be let through
WAY = {
    "verify": Wish(Act.VERIFY, "wang", TEAM),
    "call_back": Wish(Act.CALL_BACK, "wang", TEAM, note="电话已接通"),
    "rectify": Wish(Act.RECTIFY, "wang", TEAM, note="请整改"),
    "rectified": Wish(Act.RECTIFIED, "sun", DEPARTMENT, note="已重新办理"),
    "explain": Wish(Act.EXPLAIN, "wang", TEAM, note="无法律依据"),
    "close": Wish(Act.CLOSE, "wang", TEAM),
    "object": Wish(Act.OBJECT, "sun", DEPARTMENT, note="不属实"),
    "reject": Wish(Act.REJECT, "zhao", REVIEWER, note="属实"),
    "note": Wish(Act.NOTE, "wang", TEAM, note="note"),
    "attempt": Wish(Act.ATTEMPT, "wang", TEAM),
    "send_back": Wish(Act.SEND_BACK, "zhao", REVIEWER, note="不够"),
    "reopen": Wish(Act.REOPEN, "wang", TEAM, note="来电人不认可"),
    "close_unreached": Wish(Act.CLOSE_UNREACHED, "wang", TEAM, note="三次未接"),
    "confirm": Wish(Act.CONFIRM, "zhao", REVIEWER),
    "decline": Wish(Act.DECLINE, "zhao", REVIEWER, note="证据不足"),
}


def propose(evidence: str, **changes: Any) -> Wish:
    values: dict[str, Any] = {"note": "录音证明按错", "reason": Reason.MISJUDGED, "evidence": evidence} | changes
    return Wish(Act.PROPOSE, "wang", TEAM, **values)


def office(engine: Engine, policy: Policy | None = None) -> Office:
    return Office(engine, KEYS, policy or Policy())


def contact(engine: Engine, at: datetime = AT, **fields: Any) -> str:
    new = NewContact(**{"department": "住建局", "item": "公积金提取"} | fields)
    return register(engine, KEYS, new, now=at, expires_at=at + timedelta(days=1)).id


def rate(engine: Engine, of: str | None, grade: str | None = "dissatisfied", at: datetime = AT) -> str:
    """One call that gives a grade, recorded at a moment; gives the evaluation's id, or the call's."""
    match = Match.TOKEN if of else Match.NONE
    call = settled_call(grade, match=match, contact=of, ended_at=at)
    url = engine.url.render_as_string(hide_password=False)
    with closing(Recorder(url, "follow_up", KEYS, clock=lambda: at)) as recorder:
        (report,) = recorder.record([call])
    assert isinstance(report, Recorded)
    return report.id


def opened_case(engine: Engine, of: str | None = None, at: datetime = AT) -> str:
    """The case of a new bad evaluation."""
    evaluation = rate(engine, of or contact(engine, at), at=at)
    return next(row.id for row in listed(engine, at) if row.evaluation == evaluation)


def listed(engine: Engine, now: datetime = AT, **wanted: Any) -> list[CaseRow]:
    return list(cases(engine, Wanted(**wanted), Page(), now))


def go(place: Office, case: str, *names: str, at: datetime = AT + timedelta(hours=1)) -> Case:
    for name in names:
        after = act(place, case, WAY[name], at)
    return after
