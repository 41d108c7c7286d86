"""`calls list`: the call detail records, one row per answered call leg."""

from datetime import datetime

import click

from store import query
from store.commands.edge import listing_options, opened
from store.listing import Format, write
from store.query import CallRow, Page

COLUMNS = (
    "answered_at",
    "ended_at",
    "node",
    "caller",
    "outcome",
    "ended_by",
    "attempts",
    "match",
    "contact",
    "call_id",
)


@click.group()
def calls() -> None:
    """Read the call detail records."""


@calls.command("list")
@listing_options
def list_(form: Format, since: datetime | None, limit: int | None) -> None:
    """List answered calls, oldest first, numbers masked (--since: by the time they were answered)."""
    with opened() as store:
        write(query.calls(store.engine, Page(since, limit), store.cipher), CallRow, form, COLUMNS)
