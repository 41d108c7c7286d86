"""`call`: ring the service like a caller and tell each step. pyVoIP is the phone; see docs/decisions."""

import os
import re
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from ivr.caller.conversation import CallPlan, CallReport, place_call
from ivr.caller.keys import KEYS
from settings import Settings, load

_URI = re.compile(r"sip:(?:(?P<user>[^@\s;?]+)@)?(?P<host>[^@:;?\s\[\]]+)(?::(?P<port>\d+))?(?:[;?].*)?", re.IGNORECASE)


@click.command()
@click.argument("uri", required=False)
@click.option(
    "--key", "keys", multiple=True, metavar="N", help="Key to press; give it again to press another one later."
)
@click.option("--after", default=3.0, show_default=True, metavar="S", help="Seconds before each key.")
@click.option("--hang-up-after", type=float, metavar="S", help="Hang up so many seconds after the answer.")
@click.option("--silent", is_flag=True, help="Press nothing (also what happens without --key).")
@click.option("--in-band", is_flag=True, help="Press by tones in the sound instead of telephone-events.")
@click.option("--transport", default="udp", show_default=True, metavar="udp", help="pyVoIP speaks UDP only.")
@click.option("--token", metavar="T", help="Hand-over token: becomes the user part of the URI.")
@click.option("--caller", default="test-caller", show_default=True, metavar="NAME", help="User part of the From URI.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where the WAV goes.")
@click.option("--answer-timeout", default=10.0, show_default=True, metavar="S", help="Seconds to let it ring.")
def call(  # noqa: PLR0917  click passes them by name
    uri: str | None,
    keys: tuple[str, ...],
    after: float,
    hang_up_after: float | None,
    silent: bool,
    in_band: bool,
    transport: str,
    token: str | None,
    caller: str,
    save: Path | None,
    answer_timeout: float,
) -> None:
    """Call the service (default: sip:survey@ the address of SIP_BIND), press a key, listen, say what happened.

    Exit 0: answered, and ended normally. 1: refused, not answered, or never hung up on.
    """
    settings = load()
    if transport.lower() != "udp":
        raise click.UsageError(f"--transport {transport}: the test caller (pyVoIP) speaks UDP only")
    _check_keys(keys, silent=silent)
    if not re.fullmatch(r"[A-Za-z0-9_.+-]{1,64}", caller):
        raise click.UsageError("--caller: letters, digits, and . _ + - only")
    if after < 0 or answer_timeout <= 0 or (hang_up_after is not None and hang_up_after < 0):
        raise click.UsageError("times are seconds, not below 0")
    if save is not None and not save.parent.is_dir():
        raise click.UsageError(f"--save {save}: there is no folder {save.parent}")
    user, host, port = _target(uri or _default_uri(settings), token)
    target = save or _recording_path(settings)
    plan = CallPlan(host, port, user, caller, keys, after, hang_up_after, in_band, answer_timeout)
    report = _place(plan)
    _keep(report, target)
    if not report.good:
        raise SystemExit(1)


def _place(plan: CallPlan) -> CallReport:
    console = Console(highlight=False, soft_wrap=True)

    def say(seconds: float, what: str) -> None:
        console.print(f"[dim]{seconds:7.2f} s[/dim]  ", end="")
        console.print(what, markup=False)

    try:
        return place_call(plan, say)
    except OSError as error:
        raise click.ClickException(f"no way to {plan.host}:{plan.port}: {error.strerror}") from error


def _keep(report: CallReport, path: Path) -> None:
    if report.hearing.seconds() == 0:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        report.save(path)
    except OSError as error:
        raise click.UsageError(f"--save {path}: {error.strerror}") from error
    click.echo(f"heard {report.hearing.seconds():.1f} s, saved in {path}")


def _check_keys(keys: tuple[str, ...], *, silent: bool) -> None:
    if silent and keys:
        raise click.UsageError("--silent and --key exclude each other")
    for key in keys:
        if len(key) != 1 or key not in KEYS:
            raise click.UsageError(f"--key {key}: one of {' '.join(KEYS)}")


def _default_uri(settings: Settings) -> str:
    host, port = settings.sip_bind
    return f"sip:survey@{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"


def _target(uri: str, token: str | None) -> tuple[str, str, int]:
    """User, IPv4 address and port of a SIP URI."""
    found = _URI.fullmatch(uri)
    if not found:
        raise click.UsageError(f"{uri}: write it as sip:USER@HOST:PORT (the test caller speaks IPv4)")
    port = int(found["port"] or 5060)
    if not 0 < port < 65536:
        raise click.UsageError(f"{uri}: a port is 1 to 65535")
    try:
        address = socket.getaddrinfo(found["host"], port, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0]
    except (OSError, UnicodeError) as error:
        raise click.UsageError(f"{uri}: {found['host']} has no IPv4 address here") from error
    user = token or found["user"] or "survey"
    if not re.fullmatch(r"[A-Za-z0-9_.!~*'()&=+$,/%-]+", user):
        raise click.UsageError(f"{user}: not the user part of a SIP URI")
    return user, str(address), port


def _recording_path(settings: Settings) -> Path:
    name = datetime.now(UTC).astimezone().strftime("%Y%m%d-%H%M%S")
    return settings.data_dir / "calls" / f"{name}-{os.getpid()}-{time.monotonic_ns() % 1000:03d}.wav"
