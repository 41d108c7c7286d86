"""`channels add|list|rotate|revoke`: the API keys of channels and systems."""

from datetime import timedelta

import click

from store import credential
from store.commands.edge import OneOf, now, opened
from store.credential import Channel, Listed, Scope
from store.listing import Format, write

COLUMNS = ("name", "channel", "scopes", "prefix", "per_minute", "created_at", "last_used_at", "revoked_at")
OVERLAP_HOURS = 7 * 24


@click.group()
def channels() -> None:
    """Give channels and systems their API keys."""


@channels.command()
@click.argument("name")
@click.option("--channel", type=OneOf(Channel), required=True)
@click.option("--scopes", multiple=True, help=f"Comma-separated: {', '.join(Scope)}. Default: by channel.")
@click.option("--per-minute", type=click.IntRange(min=1), help="Requests a minute; default: API_PER_MINUTE.")
def add(name: str, channel: Channel, scopes: tuple[str, ...], per_minute: int | None) -> None:
    """Make a key and print it once, alone on standard output: it cannot be shown again."""
    wanted = _scopes(scopes) or credential.default_scopes(channel)
    if forbidden := wanted - credential.allowed(channel, wanted):
        raise click.UsageError(
            f"a key of channel {channel} can never have {', '.join(forbidden)}:"
            " staff give no grades, and counters show nobody"
        )
    with opened() as store:
        key = credential.add(
            store.engine, store.keys, name, channel=channel, scopes=wanted, per_minute=per_minute, now=now()
        )
        click.echo(key)


@channels.command()
@click.argument("name")
@click.option("--overlap-hours", type=click.FloatRange(min=0), default=OVERLAP_HOURS, show_default=True)
def rotate(name: str, overlap_hours: float) -> None:
    """Make a channel's next key and print it once; the present one stays good for the overlap, any older one ends."""
    with opened() as store:
        overlap = timedelta(hours=overlap_hours)
        click.echo(credential.rotate(store.engine, store.keys, name, overlap=overlap, now=now()))


@channels.command("list")
@click.option("--format", "form", type=OneOf(Format), default="table", show_default=True)
def list_(form: Format) -> None:
    """List channels with the prefixes of their good keys; the keys themselves are not kept."""
    with opened() as store:
        rows = credential.every(store.engine, now())
    write(rows, Listed, form, COLUMNS)


@channels.command()
@click.argument("name")
def revoke(name: str) -> None:
    """End a key at once and for good."""
    with opened() as store:
        credential.revoke(store.engine, name, now())
    click.echo(f"{name} is revoked", err=True)


def _scopes(given: tuple[str, ...]) -> frozenset[Scope]:
    names = [name for part in given for name in part.replace(",", " ").split()]
    unknown = [name for name in names if name not in set(Scope)]
    if unknown:
        raise click.UsageError(f"unknown scope {unknown[0]}: choose from {', '.join(Scope)}")
    return frozenset(Scope(name) for name in names)
