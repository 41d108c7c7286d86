"""What every view of one web process works with. Rule: made once from the settings, holds no request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app

from ivr.handover.invitation import Addresses
from settings import Settings
from store.attachment import Shelf
from store.case_policy import Policy
from store.commands.office import policy, shelf
from store.database import Engine, open_engine
from store.evaluation import Repeat
from store.figures_shown import Manner
from store.privacy import FieldCipher
from store.rate import Rates
from store.secret import Keys, load_keys
from store.tag_table import TagTable
from store.tags import newest_tag_table


@dataclass(frozen=True, slots=True)
class Service:
    """The store, the site's keys and the addresses it hands out; `clock` gives the server's time, aware."""

    engine: Engine
    keys: Keys
    cipher: FieldCipher
    addresses: Addresses
    token_life: timedelta
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    repeat: Repeat = Repeat.FOLLOW_UP
    per_minute: int = 30_000  # requests of a channel without a rate of its own
    manner: Manner = field(default_factory=Manner)  # how figures are worked out
    publish_after_days: int = 20
    tag_table: TagTable = field(default_factory=newest_tag_table)
    policy: Policy = field(default_factory=Policy)  # how cases' deadlines are counted
    shelf: Shelf = field(default_factory=lambda: Shelf(Path("var/attachments"), 10 * 2**20))


NAME = "pingjia"


def from_settings(settings: Settings) -> Service:
    """Open what the settings name; raises `StoreError` for a URL or a key file nobody can use."""
    assert settings.secret_key_file is not None, "settings fill it in"
    keys = load_keys(settings.secret_key_file, settings.field_cipher)
    return Service(
        engine=open_engine(settings.database_url),
        keys=keys,
        cipher=FieldCipher(keys.fields),
        addresses=Addresses(settings.sip_public, settings.public_url),
        token_life=timedelta(hours=settings.token_hours),
        repeat=Repeat(settings.repeat),
        per_minute=settings.api_per_minute,
        policy=policy(settings),
        shelf=shelf(settings),
        manner=Manner(settings.weights, settings.appraisal_minimum),
        publish_after_days=settings.publish_after_days,
    )


def service() -> Service:
    """Give the service of the running application."""
    found = current_app.extensions[NAME]
    assert isinstance(found, Service)
    return found


RATES = "pingjia_rates"


def rates() -> Rates:
    """Give the limiter of the running application."""
    found = current_app.extensions[RATES]
    assert isinstance(found, Rates)
    return found
