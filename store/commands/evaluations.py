"""`evaluations list|import|export`: every evaluation, one row each; a pile of paper forms, all or nothing."""

import sys
from datetime import datetime, timedelta
from pathlib import Path

import click

from store import credential, query
from store.casting import Rules
from store.commands.edge import OneOf, Store, listing_options, now, opened
from store.commands.evaluations_export import export
from store.credential import Channel, Credential, Scope
from store.evaluation import Repeat
from store.form_import import REFUSED, STORED, Told, import_forms
from store.listing import Format, write
from store.query import EvaluationRow, Page
from store.sheet import SheetMistake, read_sheet
from store.tags import newest_tag_table

COLUMNS = ("answered_at", "channel", "grade", "stars", "round", "match", "contact", "key", "call_id")


@click.group()
def evaluations() -> None:
    """Read what was given, and bring in what was written on paper."""


evaluations.add_command(export)


@evaluations.command("list")
@listing_options
def list_(form: Format, since: datetime | None, limit: int | None) -> None:
    """List evaluations, oldest first (--since: by the time they were recorded)."""
    with opened() as store:
        write(query.evaluations(store.engine, Page(since, limit)), EvaluationRow, form, COLUMNS)


@evaluations.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--channel-key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="File with the key of a paper channel (channels add NAME --channel paper).",
)
@click.option("--format", "form", type=OneOf(Format), default="table", show_default=True)
def import_(file: Path, channel_key_file: Path, form: Format) -> None:
    """Import numbered paper forms from a CSV or XLSX FILE; one line that cannot be taken, and nothing is imported.

    Columns: form, contact (id, number or work order; empty: a suggestion box), grade (a name, never a digit), tags,
    comment, filled_at, department, item, operator, desk, area. A form that was imported before is left as it is.
    """
    try:
        lines = read_sheet(file.read_bytes())
    except SheetMistake as mistake:
        raise click.UsageError(f"{file}: {mistake}") from mistake
    with opened() as store:
        told = import_forms(
            store.engine,
            store.keys,
            lines,
            credential=_paper(store, channel_key_file),
            rules=Rules(Repeat(store.settings.repeat), newest_tag_table().version),
            tag_table=newest_tag_table(),
            now=now(),
            token_life=timedelta(hours=store.settings.token_hours),
        )
    write(told, Told, form, ("line", "form", "verdict", "reason", "evaluation"))
    refused = sum(line.verdict == REFUSED for line in told)
    if refused:
        click.echo(f"nothing was imported: {refused} of {len(told)} lines cannot be taken", err=True)
        sys.exit(1)
    stored = sum(line.verdict == STORED for line in told)
    click.echo(f"{stored} forms imported, {len(told) - stored} were there already", err=True)


def _paper(store: Store, file: Path) -> Credential:
    """Give the owner of the key in a file, where it is a paper channel that may bring evaluations in."""
    found = credential.check(store.engine, store.keys, file.read_text("utf-8", errors="replace").strip(), now())
    if found is None or found.channel is not Channel.PAPER or Scope.EVALUATIONS_WRITE not in found.scopes:
        raise click.UsageError(f"{file} holds no good key of a paper channel that may write evaluations")
    return found
