"""The platforms of a site, from its targets file. Rule: whatever cannot work is said when the file is read.

Nothing is sent to anybody who does not stand in the file, and of a caller only what a target's setting allows (4.9).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from store.contact import CIVIL_TIME
from store.deemed import CHANNEL as DEEMED_CHANNEL
from store.errors import StoreError
from store.exports.mapping import Kind, MappingTable, channels_without_code
from store.exports.mapping_file import parse

_HERE = Path(__file__).parent
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_SECRET = 32  # characters


class TargetMistake(StoreError):
    """The targets file, or what it names, cannot be used."""


class Disclosure(StrEnum):
    """What of the caller's number a target may be given."""

    NONE = "none"
    MASKED = "masked"
    FULL = "full"


class TargetRow(BaseModel):
    """One table of the targets file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adapter: str = "provincial"
    variant: str = ""
    url: str
    decision_url: str = ""
    reply_url: str = ""
    key: str
    secret_file: Path
    ca_file: Path | None = None
    plain_http: bool = False
    deemed: bool = False
    caller: Disclosure = Disclosure.NONE
    words: bool = False
    since: date | None = None
    channels: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    timeout_seconds: float = Field(10.0, gt=0, le=60)
    attempts: int = Field(20, ge=1, le=1000)


@dataclass(frozen=True, slots=True)
class Target:
    """A platform, ready to be sent to."""

    name: str
    table: MappingTable
    urls: Mapping[Kind, str]
    key: str
    secret: bytes = field(repr=False)
    ca_file: Path | None = None
    deemed: bool = False
    caller: Disclosure = Disclosure.NONE
    words: bool = False
    since: datetime | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 10.0
    attempts: int = 20


def load_targets(path: Path) -> dict[str, Target]:
    """Read the targets file and all it names; raises `TargetMistake` or `MappingMistake` of one sentence."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TargetMistake(f"the targets file {path} cannot be read: {error}") from error
    return {name: _target(path, name, row) for name, row in content.items()}


def _target(path: Path, name: str, content: object) -> Target:
    where = f"{path}, target {name}"
    try:
        row = TargetRow.model_validate(content)
    except ValidationError as error:
        raise TargetMistake(f"{where}: {'; '.join(_sentence(dict(each)) for each in error.errors())}") from error
    for url in filter(None, (row.url, row.decision_url, row.reply_url)):
        _check_url(where, url, row)
    table = _table(where, path.parent, row)
    if row.deemed and channels_without_code(table, [DEEMED_CHANNEL]):
        raise TargetMistake(f"{where}: deemed evaluations need a code: channels = {{ {DEEMED_CHANNEL} = … }}")
    return Target(
        name=name,
        table=table,
        urls={
            Kind.EVALUATION: row.url,
            Kind.DECISION: row.decision_url or row.url,
            Kind.REPLY: row.reply_url or row.url,
        },
        key=row.key,
        secret=_secret(where, path.parent / row.secret_file),
        ca_file=path.parent / row.ca_file if row.ca_file else None,
        since=datetime.combine(row.since, time.min, CIVIL_TIME).astimezone(UTC) if row.since else None,
        **{same: getattr(row, same) for same in _SAME},
    )


_SAME = ("deemed", "caller", "words", "constants", "timeout_seconds", "attempts")


def _table(where: str, folder: Path, row: TargetRow) -> MappingTable:
    """Read a table of ours by name, or a site's own by its path."""
    own = row.adapter.endswith(".yaml")
    path = folder / row.adapter if own else _HERE / f"{row.adapter}.yaml"
    try:
        table = parse(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(each.stem for each in _HERE.glob("*.yaml")))
        raise TargetMistake(f"{where}: there is no adapter {row.adapter}: {known}, or a .yaml file") from error
    if row.variant and row.variant not in table.variants:
        raise TargetMistake(f"{where}: {table.name} has no variant {row.variant}")
    return (table.variant(row.variant) if row.variant else table).with_channels(row.channels)


def _check_url(where: str, url: str, row: TargetRow) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise TargetMistake(f"{where}: {url} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host or parts.username:
        raise TargetMistake(f"{where}: {url}: write https://HOST/PATH, without a password")
    if parts.scheme == "http" and host not in _LOOPBACK and not row.plain_http:
        raise TargetMistake(f"{where}: {url} is not encrypted: use https, or say plain_http = true")
    if parts.scheme == "http" and host not in _LOOPBACK and row.caller is Disclosure.FULL:
        raise TargetMistake(f"{where}: a caller's number is never sent unencrypted: use https, or caller = masked")


def _secret(where: str, path: Path) -> bytes:
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TargetMistake(f"{where}: secret_file {path} cannot be read: {error}") from error
    if mode & 0o027:
        raise TargetMistake(f"{where}: secret_file {path} is open to others: run chmod 600 {path}")
    if len(text) < SHORTEST_SECRET:
        raise TargetMistake(f"{where}: secret_file {path} holds fewer than {SHORTEST_SECRET} characters")
    return text.encode()


def _sentence(mistake: dict[str, Any]) -> str:
    return f"{'.'.join(str(part) for part in mistake['loc']) or 'it'}: {str(mistake['msg']).lower()}"
