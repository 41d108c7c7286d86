"""Where every evaluation goes in, whatever its channel. Rule: row, ledger entry and consequences are one transaction.

A contact is locked before its rounds are counted, so ballots of two channels come one after the other and the second
finds the first; the unique key (contact, round) stands behind that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from store.bulk import insert_rows
from store.case_opening import open_cases
from store.case_policy import Policy
from store.contact import Standing
from store.evaluation import Earlier
from store.ledger import Written, append_many
from store.schema import Ballot, Contact, Evaluation, FollowUp
from store.secret import Keys

CODES = ("department", "item", "operator", "desk", "platform", "area")


@dataclass(frozen=True, slots=True)
class Voter:
    """A contact as locked for a ballot: its outcome, its earlier rounds, and the codes an evaluation takes over."""

    id: str
    standing: Standing
    earlier: Earlier
    owed_until: datetime | None
    codes: Mapping[str, Any]


def lock(connection: Connection, contacts: Iterable[str]) -> dict[str, Voter]:
    """Lock the contacts that exist, in one order against deadlock; SQLite has already locked the whole database."""
    wanted = sorted(contacts)
    if not wanted:
        return {}
    codes = [getattr(Contact, name) for name in (*CODES, "unknown_codes")]
    rows = connection.execute(
        select(Contact.id, Contact.outcome, Contact.outcome_at, Contact.owed_until, *codes)
        .where(Contact.id.in_(wanted))
        .order_by(Contact.id)
        .with_for_update()
    ).mappings()
    locked = [dict(row) for row in rows]
    earlier = _earlier(connection, [row["id"] for row in locked])
    return {
        row["id"]: Voter(
            row["id"],
            Standing(row["outcome"], row["outcome_at"]),
            earlier.get(row["id"], Earlier()),
            row["owed_until"],
            {name: row[name] for name in (*CODES, "unknown_codes")},
        )
        for row in locked
    }


def put(
    connection: Connection,
    keys: Keys,
    evaluations: Sequence[dict[str, Any]],
    now: datetime,
    *,
    before: Sequence[Written] = (),
    policy: Policy | None = None,
) -> None:
    """Insert evaluations, open the cases of bad ones (9.1) and enter all, after what came `before` them.

    `evaluation_row` gives a row's columns; `policy` says how the cases' deadlines are counted.
    """
    if evaluations:
        insert_rows(connection, Ballot, [{name: row[name] for name in _UNIQUE} for row in evaluations])
        insert_rows(connection, Evaluation, evaluations)
    written = [Written("evaluation", row["id"], row) for row in evaluations]
    cases = open_cases(connection, keys, evaluations, now, policy)
    append_many(connection, keys, [*before, *written, *cases], now)


def evaluation_row(**values: Any) -> dict[str, Any]:  # noqa: ANN401  columns are of every type
    """Give all columns of an evaluation; what is not said is absent."""
    return _ABSENT | {"deemed": False, "tags": [], "evidence": {}} | values


def settle(connection: Connection, standings: Mapping[str, Standing]) -> None:
    """Write what became of contacts."""
    if not standings:
        return
    connection.execute(
        update(Contact)
        .where(Contact.id == bindparam("contact"))
        .values(outcome=bindparam("became"), outcome_at=bindparam("became_at")),
        [
            {"contact": contact, "became": standing.outcome, "became_at": standing.at}
            for contact, standing in sorted(standings.items())
        ],
    )


def _earlier(connection: Connection, contacts: Sequence[str]) -> dict[str, Earlier]:
    """Count rounds given and rounds offered."""
    given = {
        row.contact: row
        for row in connection.execute(
            select(
                Ballot.contact,
                func.max(Ballot.round).label("rounds"),
                func.count().filter(Ballot.call.is_(None)).label("elsewhere"),
            )
            .where(Ballot.contact.in_(contacts))
            .where(Ballot.deemed.is_(False))  # nobody's ballot
            .group_by(Ballot.contact)
        )
    }
    offered = {
        row.contact: row
        for row in connection.execute(
            select(FollowUp.contact, FollowUp.round, FollowUp.owed_until)
            .where(FollowUp.contact.in_(contacts))
            .order_by(FollowUp.round)  # the last one stays
        )
    }
    return {
        contact: Earlier(
            rounds=given[contact].rounds if contact in given else 0,
            elsewhere=contact in given and given[contact].elsewhere > 0,
            offered=offered[contact].round if contact in offered else 1,
            offered_until=offered[contact].owed_until if contact in offered else None,
        )
        for contact in given.keys() | offered.keys()
    }


_ABSENT: dict[str, Any] = dict.fromkeys(Evaluation.__table__.columns.keys())
_UNIQUE = tuple(Ballot.__table__.columns.keys())
