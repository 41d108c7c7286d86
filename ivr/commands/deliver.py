"""`deliver`: the process between the nodes' journals and the database."""

import signal
from threading import Event

import click

from ivr.delivery import Courier
from ivr.journal import JournalLocked
from ivr.logs import set_up_logs
from ivr.readiness import notify
from settings import load
from store.commands.office import policy
from store.errors import SecretKeyError, StoreError, StoreMisconfigured
from store.record import Recorder
from store.secret import load_keys


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is there now and end (exit 1 if the database is down).")
def deliver(once: bool) -> None:
    """Move finished calls from the journals under DATA_DIR into the database."""
    settings = load()
    set_up_logs()
    try:
        assert settings.secret_key_file is not None, "settings fill it in"
        keys = load_keys(settings.secret_key_file, settings.field_cipher)
        recorder = Recorder(settings.database_url, settings.repeat, keys, policy=policy(settings))
        courier = Courier(settings.data_dir / "journal", recorder)
    except (JournalLocked, StoreMisconfigured, SecretKeyError) as error:
        raise click.UsageError(str(error)) from error
    try:
        if once:
            _deliver_once(courier)
        else:
            _deliver_until_told_to_stop(courier)
    finally:
        recorder.close()


def _deliver_once(courier: Courier) -> None:
    try:
        delivered = courier.run_once()
    except (StoreError, OSError) as error:
        raise click.ClickException(f"{error}; {courier.waiting()} calls wait in the journal") from error
    finally:
        courier.close()
    click.echo(f"{delivered} calls delivered")


def _deliver_until_told_to_stop(courier: Courier) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    notify("READY=1")
    courier.run(stop)
    notify("STOPPING=1")
