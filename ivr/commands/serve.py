"""`serve`: the whole of Pingjia on one machine, node, delivery, web and jobs, with embedded defaults."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from ivr.logs import set_up_logs
from ivr.supervisor import Program, StartFailed, Supervisor, poll_signals
from settings import ROOT, Settings, load
from store.errors import StoreError
from store.secret import Keys, load_keys


@click.command()
def serve() -> None:
    """Run node, delivery, web and jobs together; Ctrl-C or SIGTERM lets running calls finish first."""
    settings = load()
    set_up_logs()
    keys = make_secret_key(settings)
    supervisor = Supervisor(_environment(settings))
    poll_signals(supervisor)
    try:
        # the node needs no database: it is up while the store is made ready
        supervisor.launch(own_program("ivr", settings.drain_seconds + 10))
        prepare_store(settings.database_url, keys)
        supervisor.launch(own_program("deliver", 10), own_program("web", 10), own_program("jobs", 10))
        supervisor.await_ready()
    except StoreError as fault:
        supervisor.stop()
        raise click.UsageError(str(fault)) from fault
    except StartFailed as failure:
        click.echo(f"Error: {failure}; nothing is left running.", err=True)
        sys.exit(failure.exit_code or 1)
    click.echo(welcome(settings))
    sys.exit(supervisor.watch())


def make_secret_key(settings: Settings) -> Keys:
    """Make the data folder and the site's secret on first use, before several processes want them at once; its keys."""
    assert settings.secret_key_file is not None
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return load_keys(settings.secret_key_file, settings.field_cipher)
    except OSError as fault:
        raise click.UsageError(f"DATA_DIR {settings.data_dir} cannot be made: {fault.strerror}") from fault
    except StoreError as fault:
        raise click.UsageError(str(fault)) from fault


def prepare_store(database_url: str, keys: Keys) -> None:
    """Make or upgrade the embedded database; raises StoreError.

    A database server is left alone: its schema is upgraded by `db upgrade`, and while it is down calls go on.
    """
    from store.database import open_engine, sqlite_path  # noqa: PLC0415  its libraries load while the node starts
    from store.upgrade import upgrade  # noqa: PLC0415

    engine = open_engine(database_url)
    try:
        if sqlite_path(engine) is not None:
            upgrade(engine, keys, datetime.now(UTC))
    finally:
        engine.dispose()


def own_program(command: str, stop_seconds: float) -> Program:
    """One of this program's own commands as a process."""
    return Program(command, [sys.executable, str(ROOT / "app.py"), command], stop_seconds)


def _environment(settings: Settings) -> dict[str, str]:
    """Every process writes its figures into one folder, from which the web process answers /metrics."""
    metrics = settings.data_dir.absolute() / "metrics"
    _empty(metrics)
    return {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob("*.db"):
        left_over.unlink()


def welcome(settings: Settings) -> str:
    """What a newcomer sees: where it listens and what to try."""
    sip = "{}:{}".format(*settings.sip_bind)
    trunks = ", ".join(map(str, settings.sip_trunks))
    return f"""
  评价 Pingjia 已启动 is running

  SIP      sip:survey@{sip}  (UDP, TCP; calls admitted from {trunks})
  HTTP     {settings.public_url}  (/healthz /readyz /metrics /openapi.json)
  data     {settings.data_dir.absolute()}

  Try, in another terminal:
    .venv/bin/python app.py call --key 2          a call that presses 2 (满意)
    .venv/bin/python app.py evaluations list      what is in the store
    .venv/bin/python app.py flow simulate {os.path.relpath(settings.flow)}

  Ctrl-C stops it; running calls may finish first.
"""
