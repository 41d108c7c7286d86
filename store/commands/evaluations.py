"""`evaluations list`: every evaluation, one row each."""

from datetime import datetime

import click

from store import query
from store.commands.edge import listing_options, opened
from store.listing import Format, write
from store.query import EvaluationRow, Page

COLUMNS = ("answered_at", "channel", "grade", "stars", "round", "match", "contact", "key", "call_id")


@click.group()
def evaluations() -> None:
    """Read what was given."""


@evaluations.command("list")
@listing_options
def list_(form: Format, since: datetime | None, limit: int | None) -> None:
    """List evaluations, oldest first (--since: by the time they were recorded)."""
    with opened() as store:
        write(query.evaluations(store.engine, Page(since, limit)), EvaluationRow, form, COLUMNS)
