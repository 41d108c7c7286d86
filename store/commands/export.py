"""`export TARGET status|dead|retry|reconcile`: what other platforms were sent, and what not. Findings are exit 1."""

import click

from store.commands.edge import OneOf, Store, now, opened
from store.commands.exporting import target
from store.exports.outbox import read_on
from store.exports.outbox import retry as put_in_again
from store.exports.reconciliation import (
    GradeRow,
    LetterRow,
    Reconciliation,
    StatusRow,
    UnsentRow,
    dead_letters,
)
from store.exports.reconciliation import reconcile as compare
from store.exports.reconciliation import status as counted
from store.exports.targets import Target
from store.listing import Format, write

_form = click.option("--format", "form", type=OneOf(Format), default="table", show_default=True)


@click.group()
@click.argument("name", metavar="TARGET")
@click.pass_context
def export(ctx: click.Context, name: str) -> None:
    """See what a target of EXPORT_TARGETS was sent; `jobs` does the sending."""
    ctx.obj = name


@export.command()
@_form
@click.pass_obj
def status(name: str, form: Format) -> None:
    """Count messages by kind and status."""
    with opened() as store:
        rows = counted(store.engine, target(store, name).name)
    write(rows, StatusRow, form, ("kind", "status", "count", "blocked", "oldest"))


@export.command()
@click.option("--limit", type=click.IntRange(min=1), help="At most so many, the oldest first.")
@_form
@click.pass_obj
def dead(name: str, limit: int | None, form: Format) -> None:
    """List dead letters with the reason of each."""
    with opened() as store:
        rows = dead_letters(store.engine, target(store, name).name, limit)
    write(rows, LetterRow, form, ("settled_at", "kind", "attempts", "reason", "evaluation", "id"))


@export.command()
@click.argument("messages", nargs=-1, metavar="[ID]...", type=click.UUID)
@click.option("--all", "every", is_flag=True, help="All dead letters of the target.")
@click.pass_obj
def retry(name: str, messages: tuple[object, ...], every: bool) -> None:
    """Put dead letters in again, under the ids they had."""
    if bool(messages) == every:
        raise click.UsageError("say which: ids as `export TARGET dead` shows them, or --all")
    with opened() as store:
        chosen = None if every else [str(message) for message in messages]
        count = put_in_again(store.engine, target(store, name).name, chosen, now())
    click.echo(f"{count} put in again; jobs will send them")
    if not every and count < len(messages):
        raise click.exceptions.Exit(1)


@export.command()
@_form
@click.pass_obj
def reconcile(name: str, form: Format) -> None:
    """Prove that everything given was sent, grade by grade; list what was not (exit 1)."""
    with opened() as store:
        to = target(store, name)
        _catch_up(store, to)
        found = compare(store.engine, to)
    if form is Format.TABLE:
        _say(to, found)
    else:
        write(found.unsent, UnsentRow, form, ())
    if not found.whole:
        raise click.exceptions.Exit(1)


def _catch_up(store: Store, to: Target) -> None:
    """Put in what came since the last round, so that what is missing then is really lost."""
    while read_on(store.engine, to, now()):
        pass


def _say(to: Target, found: Reconciliation) -> None:
    write(found.grades, GradeRow, Format.TABLE, ("grade", "given", "delivered", "waiting", "dead", "missing"))
    given, sent = sum(row.given for row in found.grades), sum(row.delivered for row in found.grades)
    deemed = "with those deemed" if to.deemed else "without those deemed"
    since = f", recorded since {to.since:%Y-%m-%d %H:%M}Z" if to.since else ""
    click.echo(f"\n{sent} of {given} evaluations delivered ({deemed}{since})")
    if found.unbound:
        click.echo(f"{found.unbound} more are bound to no contact: no platform has a number for them, none is sent")
    if found.unsent:
        click.echo("\nnot delivered")
        columns = ("recorded_at", "grade", "round", "status", "attempts", "reason", "evaluation", "message")
        write(found.unsent, UnsentRow, Format.TABLE, columns)
