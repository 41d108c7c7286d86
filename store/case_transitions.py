"""What may be done to a case, in which state and by whom. Rule: it is all in one table; an illegal act changes nothing.

PURE. The diagram and the table of docs/cases.md are drawn from here, and a test compares them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from store.case import Act, Case, CaseRefused, Event, Objection, ObjectionState, Refusal, Role, State, same_person

# how often somebody must have rung in vain before a case may be closed without having told the evaluator
ATTEMPTS_BEFORE_CLOSING = 3


class Need(StrEnum):
    """What an act must bring with it, or find."""

    NOTE = "note"
    REASON = "reason"
    EVIDENCE = "evidence"
    OTHER_PERSON = "other person"  # than who proposed, or who objected
    ATTEMPTS = "attempts"
    NO_OBJECTION = "no open objection"
    FIRST_OBJECTION = "first objection"
    IN_TIME = "in time"


@dataclass(frozen=True, slots=True)
class Move:
    """Where an act leads (None: the state stays), who may do it, what it needs."""

    to: State | None
    roles: frozenset[Role]
    needs: frozenset[Need] = frozenset()


def _move(to: State | None, roles: Iterable[Role], *needs: Need) -> Move:
    return Move(to, frozenset(roles), frozenset(needs))


_TEAM = (Role.CASE_TEAM,)
_DEPARTMENT = (Role.DEPARTMENT,)
_REVIEWER = (Role.REVIEWER,)
_SYSTEM = (Role.SYSTEM,)
_OFFICE = (Role.CASE_TEAM, Role.REVIEWER)
_OUTCOMES = (State.RECTIFIED, State.EXPLAINED, State.NOT_ADOPTED)
_SETTLED = (*_OUTCOMES, State.CALLED_BACK, State.CLOSED)
_OBJECTIONABLE = tuple(state for state in State if state not in (State.PROPOSED, State.NOT_ADOPTED))


def _each(states: Iterable[State], act: Act, move: Move) -> dict[tuple[State, Act], Move]:
    return {(state, act): move for state in states}


TRANSITIONS: Mapping[tuple[State, Act], Move] = {
    **_each((State.RECEIVED, State.REOPENED), Act.VERIFY, _move(State.VERIFYING, _TEAM)),
    (State.VERIFYING, Act.CALL_BACK): _move(None, _TEAM),
    (State.VERIFYING, Act.RECTIFY): _move(State.RECTIFYING, _TEAM),
    (State.VERIFYING, Act.EXPLAIN): _move(State.EXPLAINED, _OFFICE, Need.NOTE),
    (State.VERIFYING, Act.PROPOSE): _move(
        State.PROPOSED, _OFFICE, Need.NOTE, Need.REASON, Need.EVIDENCE, Need.NO_OBJECTION
    ),
    (State.PROPOSED, Act.CONFIRM): _move(State.NOT_ADOPTED, _REVIEWER, Need.OTHER_PERSON),
    (State.PROPOSED, Act.DECLINE): _move(State.VERIFYING, _REVIEWER, Need.NOTE, Need.OTHER_PERSON),
    (State.RECTIFYING, Act.RECTIFIED): _move(State.RECTIFIED, _DEPARTMENT, Need.NOTE),
    (State.RECTIFIED, Act.SEND_BACK): _move(State.RECTIFYING, _OFFICE, Need.NOTE),
    **_each(_OUTCOMES, Act.CALL_BACK, _move(State.CALLED_BACK, _TEAM)),
    **_each((State.VERIFYING, *_OUTCOMES), Act.ATTEMPT, _move(None, _TEAM)),
    (State.CALLED_BACK, Act.CLOSE): _move(State.CLOSED, _OFFICE, Need.NO_OBJECTION),
    **_each(_OUTCOMES, Act.CLOSE_UNREACHED, _move(State.CLOSED, _OFFICE, Need.NOTE, Need.ATTEMPTS, Need.NO_OBJECTION)),
    **_each(
        (State.RECTIFYING, *_SETTLED),
        Act.REOPEN,
        _move(State.REOPENED, (Role.EVALUATOR, Role.CASE_TEAM), Need.NOTE, Need.NO_OBJECTION),
    ),
    **_each(_OBJECTIONABLE, Act.OBJECT, _move(None, _DEPARTMENT, Need.NOTE, Need.FIRST_OBJECTION, Need.IN_TIME)),
    **_each(
        _OBJECTIONABLE,
        Act.UPHOLD,
        _move(State.PROPOSED, _REVIEWER, Need.NOTE, Need.REASON, Need.EVIDENCE, Need.OTHER_PERSON),
    ),
    **_each(_OBJECTIONABLE, Act.REJECT, _move(None, _REVIEWER, Need.NOTE, Need.OTHER_PERSON)),
    **_each(State, Act.ASK_AGAIN, _move(None, _SYSTEM)),
    **_each(State, Act.EVALUATED_AGAIN, _move(None, (Role.EVALUATOR,))),
    **_each(State, Act.RECOUNT, _move(None, _SYSTEM)),
    **_each(State, Act.NOTE, _move(None, (Role.CASE_TEAM, Role.DEPARTMENT, Role.REVIEWER), Need.NOTE)),
}


def begin(event: Event) -> Case:
    """Open a case by its first event."""
    if event.act is not Act.OPEN or event.role is not Role.SYSTEM or event.deadlines is None:
        raise CaseRefused(Refusal.NOT_NOW, f"a case begins with {Act.OPEN}, not with {event.act}")
    return Case(State.RECEIVED, event.at, event.deadlines, event.evaluation)


def advance(case: Case, event: Event) -> Case:
    """Give the case after an event, or raise `CaseRefused`."""
    move = TRANSITIONS.get((case.state, event.act))
    if move is None or (event.act in _DECISIONS and case.objection.state is not ObjectionState.FILED):
        raise CaseRefused(Refusal.NOT_NOW, f"{event.act} cannot be done to a case that is {_standing(case)}")
    if event.role not in move.roles:
        allowed = ", ".join(sorted(move.roles))
        raise CaseRefused(Refusal.NOT_YOURS, f"{event.act} is for {allowed}, not for {event.role}")
    for need in sorted(move.needs):
        _CHECKS[need](case, event)
    changed = _EFFECTS.get(event.act, _unchanged)(case, event)
    return replace(changed.moved(move.to or case.state), seq=case.seq + 1)


def fold(events: Iterable[Event]) -> Case:
    """Give the case that a whole history leads to."""
    history = iter(events)
    case = begin(next(history))
    for event in history:
        case = advance(case, event)
    return case


def possible(case: Case, role: Role) -> list[Act]:
    """Say what a role may do now, for a person to choose from."""
    acts = [act for (state, act), move in TRANSITIONS.items() if state is case.state and role in move.roles]
    filed = case.objection.state is ObjectionState.FILED
    return [act for act in acts if filed or act not in _DECISIONS]


_DECISIONS = (Act.UPHOLD, Act.REJECT)


def _standing(case: Case) -> str:
    return f"{case.state}, objection {case.objection.state}"


def _needs_note(_case: Case, event: Event) -> None:
    # an evaluator's word is the evaluation itself
    if not event.noted and event.role is not Role.EVALUATOR:
        raise CaseRefused(Refusal.NEEDS_NOTE, f"{event.act} needs a note that says what was found or done")


def _needs_reason(_case: Case, event: Event) -> None:
    if event.reason is None:
        raise CaseRefused(Refusal.NEEDS_REASON, f"{event.act} needs a reason: misjudged or malicious (9.2)")


def _needs_evidence(case: Case, event: Event) -> None:
    brought = case.objection.evidence if event.act is Act.UPHOLD else None
    if event.evidence is None and brought is None:
        raise CaseRefused(Refusal.NEEDS_EVIDENCE, f"{event.act} needs evidence: attach a file")


def _needs_other_person(case: Case, event: Event) -> None:
    firsts = (case.objection.by,) if event.act in _DECISIONS else (case.proposer, case.objection.by)
    for first in firsts:
        if same_person(first, event.actor):
            raise CaseRefused(Refusal.NEEDS_OTHER_PERSON, f"{event.act} needs another person than {first}")


def _needs_attempts(case: Case, event: Event) -> None:
    if case.attempts < ATTEMPTS_BEFORE_CLOSING:
        tried = f"{case.attempts} of {ATTEMPTS_BEFORE_CLOSING} calls tried"
        raise CaseRefused(Refusal.NEEDS_ATTEMPTS, f"{event.act} is for an evaluator nobody can reach: {tried}")


def _no_objection(case: Case, event: Event) -> None:
    if case.objection.state is ObjectionState.FILED:
        raise CaseRefused(Refusal.OBJECTION_OPEN, f"{event.act} must wait until the objection is decided")


def _first_objection(case: Case, _event: Event) -> None:
    if case.objection.state is not ObjectionState.NONE:
        raise CaseRefused(Refusal.OBJECTION_MADE, f"an objection was made already and is {case.objection.state}")


def _in_time(case: Case, event: Event) -> None:
    until = case.deadlines.objection
    # a supposed deadline takes nobody's right away
    if event.at > until.at and not until.provisional:
        raise CaseRefused(Refusal.OBJECTION_LATE, f"the time to object ended at {until.at:%Y-%m-%dT%H:%M:%SZ}")


_CHECKS: Mapping[Need, Callable[[Case, Event], None]] = {
    Need.NOTE: _needs_note,
    Need.REASON: _needs_reason,
    Need.EVIDENCE: _needs_evidence,
    Need.OTHER_PERSON: _needs_other_person,
    Need.ATTEMPTS: _needs_attempts,
    Need.NO_OBJECTION: _no_objection,
    Need.FIRST_OBJECTION: _first_objection,
    Need.IN_TIME: _in_time,
}


def _unchanged(case: Case, _event: Event) -> Case:
    return case


def _attempted(case: Case, _event: Event) -> Case:
    return replace(case, attempts=case.attempts + 1)


def _called_back(case: Case, event: Event) -> Case:
    return replace(case, called_back_at=case.called_back_at or event.at)


def _rectified(case: Case, event: Event) -> Case:
    return replace(case, rectified_at=event.at)


def _sent_back(case: Case, _event: Event) -> Case:
    return replace(case, rectified_at=None)


def _proposed(case: Case, event: Event) -> Case:
    return replace(case, proposer=event.actor, reason=event.reason)


def _confirmed(case: Case, _event: Event) -> Case:
    return replace(case, adopted=False)


def _declined(case: Case, _event: Event) -> Case:
    return replace(case, proposer=None, reason=None)


def _closed(case: Case, event: Event) -> Case:
    return replace(case, closed_at=event.at)


def _reopened(case: Case, event: Event) -> Case:
    """Begin another cycle with deadlines of its own; the evaluator's word counts again."""
    if event.deadlines is None:
        raise CaseRefused(Refusal.NOT_NOW, "a case is reopened with new deadlines")
    evaluation = event.evaluation or case.evaluation
    return Case(State.REOPENED, event.at, event.deadlines, evaluation, seq=case.seq, cycle=case.cycle + 1)


def _objected(case: Case, event: Event) -> Case:
    made = Objection(ObjectionState.FILED, event.actor, event.at, event.evidence, event.decision)
    return replace(case, objection=made)


def _upheld(case: Case, event: Event) -> Case:
    upheld = replace(case.objection, state=ObjectionState.UPHELD)
    return replace(case, objection=upheld, proposer=event.actor, reason=event.reason, closed_at=None)


def _rejected(case: Case, _event: Event) -> Case:
    return replace(case, objection=replace(case.objection, state=ObjectionState.REJECTED))


def _recounted(case: Case, event: Event) -> Case:
    objection = replace(case.objection, due=event.decision or case.objection.due)
    return replace(case, deadlines=event.deadlines or case.deadlines, objection=objection)


_EFFECTS: Mapping[Act, Callable[[Case, Event], Case]] = {
    Act.ATTEMPT: _attempted,
    Act.CALL_BACK: _called_back,
    Act.RECTIFIED: _rectified,
    Act.SEND_BACK: _sent_back,
    Act.PROPOSE: _proposed,
    Act.CONFIRM: _confirmed,
    Act.DECLINE: _declined,
    Act.CLOSE: _closed,
    Act.CLOSE_UNREACHED: _closed,
    Act.REOPEN: _reopened,
    Act.OBJECT: _objected,
    Act.UPHOLD: _upheld,
    Act.REJECT: _rejected,
    Act.RECOUNT: _recounted,
}
