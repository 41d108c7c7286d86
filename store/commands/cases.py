"""`cases list|show|act|attachment|reminders|warnings|interview|interviews`: the follow-up of bad evaluations.

Users with roles of their own come later: until then who acts is a name, believed of whoever may run commands.
"""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from store import attachment as attachments
from store import case_query, department_watch
from store.case import Act, Case, Reason, Role, State
from store.case_act import LONGEST_NOTE, Wish, act
from store.case_query import CaseRow, EventRow, FollowUpRow, ReminderRow, Wanted
from store.case_transitions import TRANSITIONS
from store.commands.edge import Moment, OneOf, Store, listing_options, now, opened
from store.commands.office import office, shelf
from store.department_watch import InterviewRow, WarningRow
from store.listing import Format, json_line, shown, write
from store.query import Page

COLUMNS = ("opened_at", "state", "due", "late", "grade", "department", "objection", "provisional", "id")
WARNING_COLUMNS = ("period_begins", "department", "index", "count", "threshold", "interviews", "id")
PEOPLE = (Role.CASE_TEAM, Role.DEPARTMENT, Role.REVIEWER)
ACTS = sorted({str(name) for (_, name), move in TRANSITIONS.items() if move.roles & set(PEOPLE)})


@click.group()
def cases() -> None:
    """Follow up bad evaluations."""


@cases.command("list")
@listing_options
@click.option("--state", "states", type=OneOf(State), multiple=True, help="Only cases in this state; may be repeated.")
@click.option("--due", type=Moment(), help="Only what is due by then, the most urgent first.")
@click.option("--department", help="Only cases of this department.")
def list_(
    *,
    form: Format,
    since: datetime | None,
    limit: int | None,
    states: tuple[State, ...],
    due: datetime | None,
    department: str | None,
) -> None:
    """List cases, oldest first (--since: by when they were opened)."""
    with opened() as store:
        rows = case_query.cases(store.engine, Wanted(states, due, department), Page(since, limit), now())
        write(rows, CaseRow, form, COLUMNS)


@cases.command()
@click.argument("case")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def show(case: str, form: str) -> None:
    """Show a case, by its id or its evaluation's, with every step of its history."""
    with opened() as store:
        found = case_query.details(store.engine, case, store.cipher, now())
    if form == "json":
        click.echo(json_line(asdict(found)))
        return
    for name, value in asdict(found.case).items():
        if value is not None:
            click.echo(f"{name:<16}  {shown(value)}")
    click.echo("\nhistory")
    write(found.events, EventRow, Format.TABLE, ("seq", "at", "act", "actor", "role", "note"))
    for title, rows, kind, columns in (
        ("attachments", found.attachments, case_query.AttachmentRow, ("at", "by", "name", "size", "id")),
        ("reminders", found.reminders, ReminderRow, ("at", "duty", "side", "to", "due")),
        ("asked again", found.follow_ups, FollowUpRow, ("opened_at", "round", "owed_until")),
    ):
        if rows:
            click.echo(f"\n{title}")
            write(rows, kind, Format.TABLE, columns)


@cases.command("act")
@click.argument("case")
@click.argument("what", metavar="ACT", type=click.Choice(ACTS))
@click.option("--as", "actor", required=True, help="Who acts.")
@click.option("--role", type=OneOf(Role), required=True, help="As what: case_team, department or reviewer.")
@click.option("--note", help="What was found or done.")
@click.option("--reason", type=OneOf(Reason), help="Why an evaluation is not to be adopted.")
@click.option("--evidence", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file that proves it.")
@click.option("--second", help="The other person, who confirms at once that it is not adopted.")
def act_(
    *,
    case: str,
    what: str,
    actor: str,
    role: Role,
    note: str | None,
    reason: Reason | None,
    evidence: Path | None,
    second: str | None,
) -> None:
    """Do something to a case; docs/cases.md has the table of what may be done when and by whom."""
    with opened() as store:
        proof = _attach(store, case, evidence, actor) if evidence else None
        wish = Wish(Act(what), _name(actor), role, _words(note), reason, proof, _name(second) if second else None)
        after = act(office(store.settings, store.engine, store.keys), _full(store, case), wish, now())
    click.echo(_sentence(after))


@cases.command()
@click.argument("case")
@click.argument("attachment")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write it.")
def attachment(case: str, attachment: str, output: Path) -> None:
    """Write an attachment of a case to a file that does not exist yet."""
    with opened() as store:
        place = office(store.settings, store.engine, store.keys)
        kept, data = attachments.fetch(place, shelf(store.settings), _full(store, case), attachment)
        try:
            with output.open("xb") as file:
                file.write(data)
        except OSError as error:
            raise click.UsageError(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"{kept.name}, {kept.media_type}, {kept.size} bytes, sha256 {kept.sha256}")


@cases.command()
@listing_options
def reminders(form: Format, since: datetime | None, limit: int | None) -> None:
    """List the reminders that were given, oldest first."""
    with opened() as store:
        rows = case_query.reminders(store.engine, Page(since, limit, newest=False))
        write(rows, ReminderRow, form, ("at", "duty", "side", "to", "due", "case"))


@cases.command()
@listing_options
def warnings(form: Format, since: datetime | None, limit: int | None) -> None:
    """List departments that were warned of a low index (8.2)."""
    with opened() as store:
        write(department_watch.warnings(store.engine, Page(since, limit)), WarningRow, form, WARNING_COLUMNS)


@cases.command()
@click.argument("warning")
@click.option("--as", "actor", required=True, help="Who records it.")
@click.option("--role", type=OneOf(Role), default="reviewer", show_default=True)
@click.option("--note", required=True, help="Who was spoken with, and what was agreed.")
@click.option("--until", type=Moment(), help="Until when things are to be better.")
def interview(warning: str, actor: str, role: Role, note: str, until: datetime | None) -> None:
    """Record an interview about a warning."""
    words = _words(note)
    if words is None:
        raise click.UsageError("--note says who was spoken with, and what was agreed: it is empty")
    with opened() as store:
        place = office(store.settings, store.engine, store.keys)
        held = department_watch.Held(warning, _name(actor), role, words, until)
        click.echo(department_watch.interview(place, held, now()).id)


@cases.command()
@click.argument("warning")
def interviews(warning: str) -> None:
    """List the interviews held about a warning, with their words."""
    with opened() as store:
        rows = department_watch.interviews(store.engine, warning, store.cipher)
        write(rows, InterviewRow, Format.TABLE, ("at", "by", "note", "rectify_until"))


def _attach(store: Store, case: str, file: Path, actor: str) -> str:
    place, box = office(store.settings, store.engine, store.keys), shelf(store.settings)
    if file.stat().st_size > box.most_bytes:
        raise click.UsageError(f"{file} is larger than {store.settings.attachment_max_mib} MiB")
    data, by = file.read_bytes(), _name(actor)
    return attachments.attach(place, box, _full(store, case), data, name=file.name, by=by, now=now()).id


def _full(store: Store, case: str) -> str:
    """Take the id of a case, or of its evaluation."""
    return case_query.named(store.engine, case)


def _name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable() or len(name) > 100:
        raise click.UsageError("a person's name is 1-100 printable characters")
    return name


def _words(text: str | None) -> str | None:
    if text is not None and len(text) > LONGEST_NOTE:
        raise click.UsageError(f"a note has at most {LONGEST_NOTE} characters")
    return (text or "").strip() or None


def _sentence(case: Case) -> str:
    due = f", objection {case.objection.state}" if case.objection.by else ""
    return f"{case.state}{due}"
