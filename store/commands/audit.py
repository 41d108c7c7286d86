"""`audit verify|anchor|show`: that nothing was changed behind the store's back. Exit 1 when something was."""

import sys
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.progress import Progress

from store import audit as ledger
from store.audit import Anchor, Finding, read_anchor
from store.commands.edge import OneOf, opened
from store.history import Step, history
from store.ledger import kept_tables
from store.listing import Format, write

_SHOWN = 100  # findings; a forged table has as many as rows


class AnchorText(click.ParamType[Anchor]):
    """An anchor as `audit anchor` printed it."""

    name = "HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Anchor:
        """Read one value of an option."""
        try:
            return read_anchor(str(value))
        except ValueError:
            self.fail(f"{value!r} is no anchor: give what audit anchor printed, SEQ:HASH or HASH", param, ctx)


@click.group()
def audit() -> None:
    """Prove that what was written is what is there."""


@audit.command()
@click.option("--from", "start", type=click.IntRange(min=1), default=1, help="Begin at this entry.")
@click.option("--anchor", "kept_outside", type=AnchorText(), help="A head kept elsewhere (audit anchor).")
def verify(start: int, kept_outside: Anchor | None) -> None:
    """Read the whole chain against the rows; name each row changed, missing, moved or put in behind its back."""
    count = 0
    with opened() as store, Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("verifying", total=None)

        def progress(done: int, entries: int) -> None:
            bar.update(task, completed=done, total=entries)

        findings = ledger.verify(store.engine, store.keys, start=start, kept_outside=kept_outside, progress=progress)
        for count, finding in enumerate(findings, 1):
            if count <= _SHOWN:
                click.echo(_line(finding))
        head = ledger.anchor(store.engine)
    if count > _SHOWN:
        click.echo(f"… and {count - _SHOWN} more")
    if count:
        click.echo(f"{count} findings in {head.seq} entries", err=True)
        sys.exit(1)
    click.echo(f"{head.seq} entries, nothing changed; head {head}")


@audit.command()
def anchor() -> None:
    """Print the chain's head, SEQ:HASH: keep it where nobody who can write the database can write."""
    with opened() as store:
        click.echo(str(ledger.anchor(store.engine)))


@audit.command()
@click.argument("table")
@click.argument("row", metavar="ID")
@click.option("--format", "form", type=OneOf(Format), default="table", show_default=True)
def show(table: str, row: str, form: Format) -> None:
    """Show a row's history: the row, and everything that was ever added about it, in order."""
    if table not in kept_tables():
        raise click.UsageError(f"{table} is none of {', '.join(sorted(kept_tables()))}")
    with opened() as store:
        steps = history(store.engine, table, _uuid(row))
    if not steps:
        raise click.UsageError(f"there is no {table} {row}")
    write(steps, Step, form, ("seq", "at", "table", "row", "values"))


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise click.UsageError(f"{text!r} is no id") from None


def _line(finding: Finding) -> str:
    place: list[Any] = [finding.table, finding.row, f"entry {finding.seq}" if finding.seq is not None else None]
    return f"{finding.kind}: {' '.join(str(part) for part in place if part)}: {finding.detail}"
