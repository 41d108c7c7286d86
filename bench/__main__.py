"""`python -m bench`: measures, prints tables, writes bench/results/<date>-<name>.json and bench/results/latest.md."""

import sys
from collections.abc import Callable

import click

from bench import calls, journal_latency, media_pump, own_network, report, sip_core, store_figures

LEVELS = (100, 400)
SECONDS, QUICK_SECONDS = 30.0, 10.0
EVALUATIONS, FEW_EVALUATIONS = 10_000_000, 100_000


@click.command()
@click.option("--only", type=click.Choice(report.NAMES), multiple=True, help="Only this part; may be repeated.")
@click.option("--calls", "levels", type=click.IntRange(1, 2000), multiple=True, help="Concurrent calls (100, 400).")
@click.option("--quick", is_flag=True, help="Shorter: good for a look, not for the record.")
def main(only: tuple[str, ...], levels: tuple[int, ...], *, quick: bool) -> None:
    """Measure the service on this machine, beside the floor of the same machine."""
    own = own_network.enter()
    seconds = QUICK_SECONDS if quick else SECONDS
    parts: dict[str, Callable[[], object]] = {
        "calls": lambda: [measured(level, seconds) for level in levels or LEVELS],
        "media_pump": lambda: media_pump.measure((100,) if quick else (100, 400), seconds / 2),
        "sip_core": lambda: sip_core.measure(5_000 if quick else 20_000),
        "journal_latency": lambda: journal_latency.in_temporary_folder(seconds=seconds / 3),
        "store_figures": lambda: store_figures.measure(FEW_EVALUATIONS if quick else EVALUATIONS, seconds / 3),
    }
    try:
        results = {name: parts[name]() for name in report.NAMES if not only or name in only}
    except calls.BenchImpossible as reason:
        raise click.UsageError(str(reason)) from reason
    report.write(results, whole=not only and not quick and not levels, own_network=own)
    report.show(results)
    sys.exit(1 if report.failures(results) else 0)


def measured(level: int, seconds: float) -> dict[str, object]:
    """One level of calls, said aloud because it takes its time."""
    click.echo(f"{level} calls at a time for {seconds:g} s …", err=True)
    return calls.measure(level, seconds)


if __name__ == "__main__":
    main()
