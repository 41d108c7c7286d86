"""Bringing a ballot in. Rule: server time is the truth, the channel comes from the key, the first to be stored wins."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from store.ballot import Ballot, Verdict, settle_round
from store.ballot_box import Voter, evaluation_row, lock, put, settle
from store.call import Outcome
from store.case_policy import Policy
from store.contact import after_call
from store.credential import Credential
from store.database import writing
from store.evaluation import Repeat
from store.idempotency import Answered, Asked, earlier, remember
from store.privacy import NONCE_BYTES, FieldCipher
from store.schema import Evaluation
from store.secret import Keys

# another writer with the same idempotency key, or one that counted the same round: the next attempt finds what it did
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Given:
    """An evaluation as its channel is told of it."""

    id: str
    contact: str
    channel: str
    grade: str
    round: int
    tags: list[str]
    claimed_at: datetime | None
    answered_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site has set."""

    repeat: Repeat
    tag_table: str  # version the tags were checked against
    policy: Policy | None = None  # how the deadlines of a bad evaluation's case are counted


def cast(
    engine: Engine,
    keys: Keys,
    ballot: Ballot | Verdict,
    *,
    credential: Credential,
    rules: Rules,
    now: datetime,
    asked: Asked | None = None,
) -> Given | Verdict:
    """Store a ballot, or say why not; a repeated request gets its first answer.

    A ballot whose contact could not be made out comes as its verdict: it is answered under its idempotency key too.
    Raises `IdempotencyConflict`, `StoreUnavailable`.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with writing(engine) as connection:
                if answered := earlier(connection, asked):
                    return _again(connection, answered)
                return _first(connection, keys, ballot, credential=credential, rules=rules, now=now, asked=asked)
        except IntegrityError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError  # the loop returns or raises


def _first(
    connection: Connection,
    keys: Keys,
    ballot: Ballot | Verdict,
    *,
    credential: Credential,
    rules: Rules,
    now: datetime,
    asked: Asked | None,
) -> Given | Verdict:
    found: Given | Verdict
    if isinstance(ballot, Ballot):
        found = enter(connection, keys, ballot, credential=credential, rules=rules, now=now)
    else:
        found = ballot
    answered = Answered(Verdict.STORED, found.id) if isinstance(found, Given) else Answered(found, None)
    remember(connection, asked, answered, now)
    return found


def enter(
    connection: Connection, keys: Keys, ballot: Ballot, *, credential: Credential, rules: Rules, now: datetime
) -> Given | Verdict:
    """Store a ballot in the caller's transaction."""
    voter = lock(connection, [ballot.contact]).get(ballot.contact)
    if voter is None:
        return Verdict.UNKNOWN_CONTACT
    number = settle_round(ballot, voter.earlier, voter.owed_until, now=now, repeat=rules.repeat)
    if isinstance(number, Verdict):
        return number
    row = ballot_row(keys, ballot, voter, number, credential=credential, rules=rules, now=now)
    settle(connection, {voter.id: after_call(voter.standing, Outcome.RATED, now)})
    put(connection, keys, [row], now, policy=rules.policy)
    return Given(**{name: row[name] for name in Given.__slots__})


def ballot_row(
    keys: Keys,
    ballot: Ballot,
    voter: Voter,
    number: int,
    *,
    credential: Credential,
    rules: Rules,
    now: datetime,
) -> dict[str, Any]:
    """Give an evaluation's columns, the comment sealed, the codes as they stand."""
    name = str(uuid4())
    plain = {field: value for field, value in asdict(ballot).items() if field in _SAME}
    return evaluation_row(
        **plain
        | {
            "id": name,
            "round": number,
            "channel": credential.channel,
            "credential": credential.id,
            "tags": list(ballot.tags),
            "tag_table": rules.tag_table if ballot.tags else None,
            "comment": _sealed(keys, ballot.comment, name),
            "answered_at": now,
            "recorded_at": now,
        },
        **voter.codes,
    )


_SAME = ("contact", "match", "grade", "device", "claimed_at", "form")


def _sealed(keys: Keys, text: str | None, row: str) -> bytes | None:
    return FieldCipher(keys.fields).seal(text, row.encode(), secrets.token_bytes(NONCE_BYTES)) if text else None


def _again(connection: Connection, answered: Answered) -> Given | Verdict:
    if answered.evaluation is None:
        return Verdict(answered.verdict)
    columns = [getattr(Evaluation, name) for name in Given.__slots__]
    row = connection.execute(select(*columns).where(Evaluation.id == answered.evaluation)).mappings().one()
    return Given(**row)
