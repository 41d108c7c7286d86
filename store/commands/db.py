"""`db upgrade|check`: the database's schema. Exit 1 from `check` when it is not the one needed."""

import sys

import click

from store.commands.edge import now, opened
from store.database import name, reading
from store.errors import SchemaMismatch
from store.schema import REVISION


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
def upgrade() -> None:
    """Bring the schema up to the revision this program needs, making an embedded database if there is none."""
    from store.upgrade import upgrade as run  # noqa: PLC0415  Alembic is slow to import, and only this needs it

    with opened() as store:
        before, after = run(store.engine, store.keys, now())
        if before == after:
            click.echo(f"{name(store.engine)} has schema {after} already")
        else:
            click.echo(f"{name(store.engine)}: schema {before or 'none'} -> {after}")


@db.command()
def check() -> None:
    """Say which schema revision is there and which is needed."""
    with opened() as store:
        try:
            with reading(store.engine):
                click.echo(f"{name(store.engine)} has schema {REVISION}, as needed")
        except SchemaMismatch as error:
            click.echo(str(error), err=True)
            sys.exit(1)
