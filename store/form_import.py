"""A pile of paper forms into the store. Rule: all of it or nothing, each line reported, each form number once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import IntegrityError

from store.ballot import Ballot, Verdict, settle_round
from store.ballot_box import Voter, lock, put, settle
from store.call import Match, Outcome
from store.casting import Rules, ballot_row
from store.contact import after_call
from store.credential import Credential
from store.database import writing
from store.ledger import take_turn
from store.paper_form import PaperForm, Unread, read_form
from store.privacy import FieldCipher
from store.register import Request, enter
from store.schema import Ballot as Unique
from store.schema import Contact, Evaluation
from store.secret import Keys
from store.sheet import Line
from store.tag_table import TagTable

STORED, ALREADY, REFUSED = "stored", "already", "refused"
_ATTEMPTS = 3

_WHY = {
    Verdict.ALREADY_EVALUATED: "the contact has been evaluated",
    Verdict.CLOSED: "the time in which the contact could be evaluated is over",
    Verdict.UNKNOWN_CONTACT: "there is no such contact",
    Verdict.NO_SUCH_ROUND: "the round was not offered",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one line; for a refused one `reason` says why, and then nothing of the file was imported."""

    line: int
    form: str | None
    verdict: str
    evaluation: str | None = None
    reason: str | None = None


class _NothingImported(Exception):
    """Rolls the transaction back."""

    def __init__(self, told: dict[int, Told]) -> None:
        """Take the report of every line."""
        self.told = told


def import_forms(
    engine: Engine,
    keys: Keys,
    lines: Sequence[Line],
    *,
    credential: Credential,
    rules: Rules,
    tag_table: TagTable,
    now: datetime,
    token_life: timedelta,
) -> list[Told]:
    """Import a file, or nothing of it if one line is refused; gives a report of every line, in their order."""
    read = [read_form(line.number, line.cells, tag_table, now) for line in lines]
    for attempt in range(_ATTEMPTS):
        try:
            with writing(engine) as connection:
                pile = _Pile(connection, keys, credential, rules, now, token_life)
                told = pile.take(read)
        except _NothingImported as nothing:
            told = nothing.told
        except IntegrityError:  # somebody else brought the same form or contact in just now
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        return [told[line.line] for line in read]
    raise AssertionError  # the loop returns or raises


@dataclass(slots=True)
class _Pile:
    """One transaction of one import."""

    connection: Connection
    keys: Keys
    credential: Credential
    rules: Rules
    now: datetime
    token_life: timedelta

    def take(self, read: Sequence[PaperForm | Unread]) -> dict[int, Told]:
        told = {line.line: _unread(line) for line in read if isinstance(line, Unread)}
        forms = [line for line in read if isinstance(line, PaperForm)]
        told |= _twice(forms)
        forms = [form for form in forms if form.line not in told]
        told |= self._imported_before(forms)
        forms = [form for form in forms if form.line not in told]
        contacts = self._contacts(forms)
        # all locks before the first entry into the ledger, whose end is then held
        voters = lock(self.connection, [name for name in contacts.values() if name])
        take_turn(self.connection)  # before a form's number is taken: another import may have the same
        refused = any(line.verdict == REFUSED for line in told.values())
        rows: list[dict[str, Any]] = []
        for form in forms:
            voter = self._voter(form, contacts, voters, refused=refused)
            told[form.line] = self._give(form, voter, voters, rows)
        if any(line.verdict == REFUSED for line in told.values()):
            raise _NothingImported(told)
        settle(self.connection, {name: voter.standing for name, voter in voters.items()})
        put(self.connection, self.keys, rows, self.now)
        return told

    def _imported_before(self, forms: Sequence[PaperForm]) -> dict[int, Told]:
        names = ("id", "form", "grade", "tags", "claimed_at", "comment")
        columns = [getattr(Evaluation, name) for name in names]
        wanted = select(*columns).join(Unique, Unique.id == Evaluation.id)
        wanted = wanted.where(Unique.form.in_([form.form for form in forms]))
        held = {row["form"]: row for row in self.connection.execute(wanted).mappings()}
        cipher = FieldCipher(self.keys.fields)
        told = {}
        for form in forms:
            if row := held.get(form.form):
                sealed = row["comment"]
                comment = cipher.open(sealed, row["id"].encode()) if sealed else None
                same = (row["grade"], tuple(row["tags"]), row["claimed_at"], comment) == (
                    form.grade,
                    form.tags,
                    form.filled_at,
                    form.comment,
                )
                reason = None if same else "a form of this number was imported before with another content"
                told[form.line] = Told(form.line, form.form, ALREADY if same else REFUSED, row["id"], reason)
        return told

    def _contacts(self, forms: Sequence[PaperForm]) -> dict[int, str | None]:
        """Find the contact of each form that names one, by id, contact number or work order; None if not one."""
        named = {form.contact for form in forms if form.contact}
        ids = {_spelt(name) for name in named if _is_id(name)}
        columns = (Contact.id, Contact.number, Contact.work_order)
        wanted = Contact.id.in_(ids) | Contact.number.in_(named) | Contact.work_order.in_(named)
        found: dict[str, set[str]] = {}
        for row in self.connection.execute(select(*columns).where(wanted)):
            for name in row:
                if name:
                    found.setdefault(name, set()).add(row.id)
        one = {name: next(iter(rows)) for name, rows in found.items() if len(rows) == 1}
        return {form.line: one.get(_spelt(form.contact)) for form in forms if form.contact}

    def _voter(
        self, form: PaperForm, contacts: dict[int, str | None], voters: dict[str, Voter], *, refused: bool
    ) -> Voter | None:
        if form.contact:
            return voters.get(contacts[form.line] or "")
        if refused:
            return None  # nothing will be imported: register nobody
        life = self.now + self.token_life
        made = enter(
            self.connection, self.keys, form.served, now=self.now, expires_at=life, request=Request(self.credential.id)
        )
        voters |= lock(self.connection, [made.id])  # ours alone
        return voters[made.id]

    def _give(self, form: PaperForm, voter: Voter | None, voters: dict[str, Voter], rows: list[dict[str, Any]]) -> Told:
        if voter is None:
            if form.contact is None:
                return Told(form.line, form.form, STORED)  # would be
            reason = "there is not exactly one contact of this id, number or work order"
            return Told(form.line, form.form, REFUSED, reason=reason)
        ballot = Ballot(
            contact=voter.id,
            match=Match.NAMED,
            grade=form.grade,
            tags=form.tags,
            comment=form.comment,
            claimed_at=form.filled_at,
            form=form.form,
        )
        # a form comes to the clerk when its box is opened: its own contact cannot be late
        until = voter.owed_until if form.contact else None
        number = settle_round(ballot, voter.earlier, until, now=self.now, repeat=self.rules.repeat)
        if isinstance(number, Verdict):
            return Told(form.line, form.form, REFUSED, reason=_WHY[number])
        row = ballot_row(self.keys, ballot, voter, number, credential=self.credential, rules=self.rules, now=self.now)
        rows.append(row)
        earlier = replace(voter.earlier, rounds=number, elsewhere=True)
        standing = after_call(voter.standing, Outcome.RATED, self.now)
        voters[voter.id] = replace(voter, earlier=earlier, standing=standing)
        return Told(form.line, form.form, STORED, row["id"])


def _unread(line: Unread) -> Told:
    return Told(line.line, line.form, REFUSED, reason="; ".join(line.reasons))


def _twice(forms: Iterable[PaperForm]) -> dict[int, Told]:
    first: dict[str, int] = {}
    told = {}
    for form in forms:
        if (line := first.setdefault(form.form, form.line)) != form.line:
            reason = f"the form's number stands on line {line} too"
            told[form.line] = Told(form.line, form.form, REFUSED, reason=reason)
    return told


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _spelt(text: str) -> str:
    return str(UUID(text)) if _is_id(text) else text
