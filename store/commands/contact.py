"""`contact add|show|list|reveal|reveals`: register a contact by hand, see what became of it, look at who it was."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import click

from ivr.handover.invitation import Addresses, invite
from ivr.handover.token import LANGUAGES
from store import query
from store.ballot import from_the_future
from store.commands.edge import Moment, OneOf, listing_options, now, opened
from store.contact import Kind, NewContact
from store.listing import Format, json_line, shown, write
from store.query import CallRow, ContactRow, EvaluationRow, Page
from store.register import register
from store.reveal import LONGEST_REASON, Confidential, Look, RevealRow, Shown
from store.reveal import reveal as look_at
from store.reveal import reveals as looks

COLUMNS = ("registered_at", "number", "kind", "work_order", "department", "operator", "caller", "outcome", "id")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{1,30}")


class OneFormat(StrEnum):
    """How one contact is written; `jsonl` is the same as `json`, for a word that fits all commands."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Added:
    """What `contact add` answers, as `POST /api/v1/contacts` does."""

    id: str
    token: str
    transfer_uri: str
    evaluate_url: str
    expires_at: datetime
    number: str


_one_format = click.option("--format", "form", type=OneOf(OneFormat), default="text", show_default=True)


@click.group()
def contact() -> None:
    """Register contacts and see what became of them."""


@contact.command()
@click.option("--kind", type=OneOf(Kind), help="Derived from --work-order if not given.")
@click.option("--work-order", help="Work order the service belongs to; a consultation has none.")
@click.option("--matter", help="What it was about.")
@click.option("--item", help="Government service item.")
@click.option("--operator", help="Who served.")
@click.option("--department", help="Department evaluated.")
@click.option("--desk", help="Window or agent's place.")
@click.option("--platform", help="System the service was given in.")
@click.option("--area", help="Administrative division (GB/T 2260).")
@click.option("--channel", help="Where the service was given.")
@click.option("--caller", help="The caller's number; stored encrypted.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Language to ask in.")
@click.option("--served-at", type=Moment(), help="When the service ended.")
@_one_format
def add(form: OneFormat, **given: Any) -> None:  # noqa: ANN401  click has converted each option
    """Register a contact; prints its id, token, transfer URI, evaluation link and expiry."""
    new = NewContact(**given)
    _check(new)
    with opened() as store:
        at = now()
        expires_at = at + timedelta(hours=store.settings.token_hours)
        row = register(store.engine, store.keys, new, now=at, expires_at=expires_at)
        addresses = Addresses(store.settings.sip_public, store.settings.public_url)
        invitation = invite(store.keys, row.id, row.language, row.expires_at, addresses)
    _print_one(Added(row.id, **asdict(invitation), expires_at=row.expires_at, number=row.number), form)


@contact.command()
@click.argument("wanted", metavar="ID")
@_one_format
def show(wanted: str, form: OneFormat) -> None:
    """Show a contact (by id or number), its calls and its evaluations."""
    with opened() as store:
        found = query.contact(store.engine, wanted, store.cipher, now())
        calls = list(query.calls(store.engine, Page(), store.cipher, found.id))
        evaluations = list(query.evaluations(store.engine, Page(), found.id))
    if form is not OneFormat.TEXT:
        parts = {"calls": [asdict(row) for row in calls], "evaluations": [asdict(row) for row in evaluations]}
        click.echo(json_line(asdict(found) | parts))
        return
    _print_one(found, form)
    click.echo("\ncalls")
    write(calls, CallRow, Format.TABLE, ("answered_at", "outcome", "ended_by", "attempts", "call_id"))
    click.echo("\nevaluations")
    write(evaluations, EvaluationRow, Format.TABLE, ("answered_at", "channel", "grade", "stars", "round"))


@contact.command("list")
@listing_options
def list_(form: Format, since: datetime | None, limit: int | None) -> None:
    """List contacts, oldest first, numbers masked (--since: by the time they were registered)."""
    with opened() as store:
        write(query.contacts(store.engine, Page(since, limit), store.cipher, now()), ContactRow, form, COLUMNS)


@contact.command()
@click.argument("wanted", metavar="ID")
@click.option("--reason", required=True, help="Why: kept for ever with your name, and chained.")
@click.option("--as", "by", required=True, help="Who looks.")
@click.option("--field", "fields", type=OneOf(Confidential), multiple=True, help="What: caller (default), comment.")
@_one_format
def reveal(wanted: str, reason: str, by: str, fields: tuple[Confidential, ...], form: OneFormat) -> None:
    """Show a contact's caller or comments in clear (by id or number; or a call's, by its id)."""
    for option, text, longest in (("--reason", reason, LONGEST_REASON), ("--as", by, 100)):
        if not text.strip() or len(text) > longest:
            raise click.UsageError(f"{option}: write 1 to {longest} characters")
    with opened() as store:
        look = Look(wanted, set(fields) or {Confidential.CALLER}, reason.strip(), by.strip())
        found = look_at(store.engine, store.keys, look, now())
    _print_shown(found, form)


@contact.command()
@click.argument("wanted", metavar="[ID]", required=False)
@listing_options
def reveals(wanted: str | None, form: Format, since: datetime | None, limit: int | None) -> None:
    """List who looked at what was confidential, and why; with an ID, of one contact or call."""
    columns = ("at", "by", "fields", "reason", "contact", "call", "credential")
    with opened() as store:
        write(looks(store.engine, store.cipher, Page(since, limit), wanted), RevealRow, form, columns)


def _print_shown(found: Shown, form: OneFormat) -> None:
    if form is not OneFormat.TEXT:
        click.echo(json_line(asdict(found)))
        return
    click.echo(f"{'caller':<14}  {found.caller or '–'}")
    for comment in found.comments:
        click.echo(f"{'comment':<14}  {comment.comment}")
    click.echo(f"{'reveal':<14}  {found.reveal}")


def _check(new: NewContact) -> None:
    if from_the_future(new.served_at, now()):
        raise click.UsageError("--served-at has not been yet")
    if new.kind is Kind.WORK_ORDER and not new.work_order:
        raise click.UsageError("a contact of kind work_order needs --work-order")
    if new.caller is not None and not _PHONE.fullmatch(new.caller):
        raise click.UsageError("--caller is no phone number: digits, with + in front if international")


def _print_one(row: Added | ContactRow, form: OneFormat) -> None:
    values = asdict(row)
    if form is not OneFormat.TEXT:
        click.echo(json_line(values))
        return
    for name, value in values.items():
        if value is not None:
            click.echo(f"{name:<14}  {shown(value)}")
