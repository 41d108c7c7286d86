"""`channels add|list|revoke`: the API keys of channels and systems."""

from dataclasses import dataclass
from datetime import datetime

import click

from store import credential
from store.commands.edge import OneOf, now, opened
from store.credential import Channel, Scope
from store.listing import Format, write

COLUMNS = ("name", "channel", "scopes", "prefix", "created_at", "revoked_at")


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """The public row of a key: all but the key."""

    name: str
    channel: str
    scopes: frozenset[Scope]
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


@click.group()
def channels() -> None:
    """Give channels and systems their API keys."""


@channels.command()
@click.argument("name")
@click.option("--channel", type=OneOf(Channel), required=True)
@click.option("--scopes", multiple=True, help=f"Comma-separated: {', '.join(Scope)}. Default: by channel.")
def add(name: str, channel: Channel, scopes: tuple[str, ...]) -> None:
    """Make a key and print it once, alone on standard output: it cannot be shown again."""
    wanted = _scopes(scopes) or credential.default_scopes(channel)
    with opened() as store:
        click.echo(credential.add(store.engine, store.keys, name, channel=channel, scopes=wanted, now=now()))


@channels.command("list")
@click.option("--format", "form", type=OneOf(Format), default="table", show_default=True)
def list_(form: Format) -> None:
    """List keys by name; the keys themselves are not kept."""
    with opened() as store:
        rows = [
            ChannelRow(each.name, each.channel, each.scopes, each.prefix, each.created_at, each.revoked_at)
            for each in credential.every(store.engine)
        ]
    write(rows, ChannelRow, form, COLUMNS)


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
