"""`db upgrade|check|rekey`: the database's schema, and what seals its fields.

Exit 1 from `check` when the schema is not the one needed, from `rekey` when something cannot be opened.
"""

import sys

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

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


_SHOWN = 20  # ids of what does not open


@db.command()
def rekey() -> None:
    """Seal everything anew with the secret key file's last key and FIELD_CIPHER; run it again if it was stopped.

    Processes that still seal with the key of before must have been restarted: what they write meanwhile stays.
    """
    from store.rekey import rekey as run  # noqa: PLC0415
    from store.rekey import to_do  # noqa: PLC0415

    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    done, closed = 0, []
    with opened() as store, Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        keys, files = store.keys, store.settings.data_dir / "attachments"
        task = bar.add_task("sealing anew", total=to_do(store.engine, keys, files))
        for batch in run(store.engine, keys, files, now):
            done += batch.count
            closed += [f"{batch.of} {name}" for name in batch.closed]
            bar.update(task, advance=batch.count + len(batch.closed), description=f"sealing {batch.of} anew")
        suite, number = keys.fields.suite, keys.fields.known[-1].number
    click.echo(f"{done} sealed anew: everything that opens is sealed with key {number}, {suite}")
    for line in closed[:_SHOWN]:
        click.echo(f"no known key opens {line}", err=True)
    if closed:
        click.echo(f"{len(closed)} left as they are", err=True)
        sys.exit(1)
