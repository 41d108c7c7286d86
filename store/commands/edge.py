"""What the store's commands share: settings to an open store, and a fault to one line. Rule: exit 2 for either."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Engine

import settings
from store.contact import CIVIL_TIME
from store.database import open_engine
from store.errors import StoreError
from store.listing import Format
from store.privacy import FieldCipher
from store.secret import Keys, load_keys

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Store:
    """An open store and the settings it was opened with."""

    settings: settings.Settings
    engine: Engine

    @property
    def keys(self) -> Keys:
        """The site's keys, made on first use."""
        path = self.settings.secret_key_file
        assert isinstance(path, Path), "settings fill it in"
        return load_keys(path, self.settings.field_cipher)

    @property
    def cipher(self) -> FieldCipher:
        """What opens phone numbers, to be masked."""
        return FieldCipher(self.keys.fields)


@contextmanager
def opened() -> Iterator[Store]:
    """Open the store of the settings; a fault anywhere inside is one clear line and exit 2."""
    loaded = settings.load()
    try:
        engine = open_engine(loaded.database_url)
        try:
            yield Store(loaded, engine)
        finally:
            engine.dispose()
    except StoreError as error:
        raise click.UsageError(str(error)) from error


def now() -> datetime:
    """The time of the command."""
    return datetime.now(UTC)


class OneOf(click.ParamType[StrEnum]):
    """One member of an enum, by its value (click's own choice goes by the member's name)."""

    name = "choice"

    def __init__(self, members: type[StrEnum]) -> None:
        """Take the enum."""
        self._members = members

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        """Show the values in the help."""
        return f"[{'|'.join(self._members)}]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> StrEnum:
        """Read one value of an option."""
        try:
            return self._members(str(value))
        except ValueError:
            self.fail(f"{value!r} is none of {', '.join(self._members)}", param, ctx)


class Moment(click.ParamType[datetime]):
    """A date or time in ISO 8601; without a zone it is civil time (Asia/Shanghai)."""

    name = "ISO-TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read one value of an option."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date or time: write 2026-11-22 or 2026-11-22T14:00:00+08:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=CIVIL_TIME)


def listing_options(function: F) -> F:
    """Give a list its `--format`, `--since` and `--limit`."""
    limit = click.option("--limit", type=click.IntRange(min=1), help="At most so many of the newest rows.")
    since = click.option("--since", type=Moment(), help="Only from this date or time on (Asia/Shanghai unless said).")
    form = click.option("--format", "form", type=OneOf(Format), default="table", show_default=True)
    return form(since(limit(function)))
