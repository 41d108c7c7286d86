"""The web application on a fresh database, and keys to call it with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from ivr.handover.invitation import Addresses
from store import credential
from store.credential import Channel, Scope
from store.privacy import FieldCipher
from store.secret import Keys, derive
from web.application import create_app
from web.service import Service

KEYS = derive(b"\x05" * 32)
_names = count(1)


@dataclass
class Clock:
    """A clock the test moves."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 6, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Site:
    """A web application, its store and its clock."""

    app: APIFlask
    client: FlaskClient
    engine: Engine
    clock: Clock
    database_url: str
    keys: Keys

    def key(self, *scopes: Scope, channel: Channel = Channel.CTI) -> dict[str, str]:
        """Headers with a new key; without scopes, with those of its channel."""
        wanted = frozenset(scopes) or credential.default_scopes(channel)
        name = f"system {next(_names)}"
        key = credential.add(self.engine, self.keys, name, channel=channel, scopes=wanted, now=self.clock())
        return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def site(database_url: str, opened: Callable[[str], Engine]) -> Site:
    engine, clock = opened(database_url), Clock()
    addresses = Addresses("survey.example:5060", "https://pj.example/")
    app = create_app(Service(engine, KEYS, FieldCipher(KEYS.fields), addresses, timedelta(hours=24), clock))
    return Site(app, app.test_client(), engine, clock, database_url, KEYS)
