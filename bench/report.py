"""Results as tables, as JSON for comparison, and as the page that is committed. Goals stand beside the figures."""

import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

NAMES = ("calls", "media_pump", "sip_core", "journal_latency", "store_figures")
FOLDER = Path(__file__).resolve().parent / "results"

Results = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a level of calls: where it stands in the result, and the most it may be."""

    title: str
    path: str
    goal: float | None = None

    def of(self, result: Results) -> Any:  # noqa: ANN401  a number or nothing
        """The figure."""
        value: Any = result
        for name in self.path.split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def failed(self, result: Results) -> bool:
        """Whether the figure is missing or above its goal."""
        value = self.of(result)
        return self.goal is not None and (value is None or value > self.goal)

    def shown(self, result: Results) -> str:
        """The figure as text, with a mark if it is above its goal."""
        value = self.of(result)
        return ("–" if value is None else f"{value:g}") + (" ✗" if self.failed(result) else "")


ROWS = (
    Row("node: % of a core per 100 calls", "core_percent_per_100/node", 6.0),
    Row("  of it the event loop", "core_percent_per_100/processes/ivr"),
    Row("  of it the media process", "core_percent_per_100/processes/ivr:rtp_pump"),
    Row("floor: bare sendto of as many packets", "core_percent_per_100/floor"),
    Row("node, times the floor", "times_floor"),
    Row("delivery and SQLite: % of a core per 100 calls", "core_percent_per_100/deliver"),
    Row("node and delivery together", "core_percent_per_100/together"),
    Row("SIPp beside them: % of a core per 100 calls", "core_percent_per_100/sipp"),
    Row("node: ms of processor time per call", "node_ms_per_call"),
    Row("calls completed", "completed"),
    Row("calls failed", "failed", 0),
    Row("INVITE retransmissions", "invite_retransmissions", 0),
    Row("digits pressed", "digits/pressed"),
    Row("digits lost", "digits/lost", 0),
    Row("digits wrong", "digits/wrong", 0),
    Row("digits doubled", "digits/doubled", 0),
    Row("answer p50, ms", "wire/answer_ms/p50", 20.0),
    Row("answer p99, ms", "wire/answer_ms/p99"),
    Row("RTP deviation from 20 ms, p50, ms", "wire/deviation_ms/p50"),
    Row("RTP deviation from 20 ms, p99, ms", "wire/deviation_ms/p99", 5.0),
    Row("RTP deviation, p99 of the worst stream, ms", "wire/worst_stream_p99_ms"),
    Row("press to prompt stop p50, ms", "wire/press_to_stop_ms/p50"),
    Row("press to prompt stop p99, ms", "wire/press_to_stop_ms/p99", 25.0),
    Row("press to durable p50, ms", "press_to_durable_ms/p50", 20.0),
    Row("press to durable p99, ms", "press_to_durable_ms/p99"),
    Row("press to first packet of thanks p50, ms", "wire/press_to_thanks_ms/p50"),
    Row("event loop ready but no core free, % of the time", "waited_percent/ivr"),
    Row("media process ready but no core free, % of the time", "waited_percent/ivr:rtp_pump"),
    Row("calls up on average", "mean_concurrent"),
    Row("calls ended per second", "calls_per_second"),
    Row("start of the node to ready, s", "start_seconds", 3.0),
    Row("memory of the node, MiB", "resident_mib"),
)


def failures(results: Results) -> list[str]:
    """Each figure above its goal."""
    return [
        f"{level['calls']} calls: {row.title} {row.of(level)} > {row.goal}"
        for level in results.get("calls", [])
        for row in ROWS
        if row.failed(level)
    ]


def lines(results: Results) -> list[list[str]]:
    """The table of calls: a head, then a line for each figure."""
    levels = results.get("calls", [])
    head = ["", "goal", *(f"{level['calls']} calls" for level in levels)]
    body = [
        [row.title, "" if row.goal is None else f"≤ {row.goal:g}", *(row.shown(level) for level in levels)]
        for row in ROWS
    ]
    return [head, *body]


def show(results: Results) -> None:
    """Print everything."""
    console = Console()
    if "calls" in results:
        head, *body = lines(results)
        table = Table(*head, title="Calls of 5.1 s, RTP both ways, one key each")
        for line in body:
            table.add_row(*line)
        console.print(table)
    for name, result in results.items():
        if name != "calls":
            console.print(_table(name, result))
    for failure in failures(results):
        console.print(f"[red]above its goal:[/red] {failure}")


def _table(name: str, result: Results) -> Table:
    runs = result.get("runs", [result])
    table = Table("", *("" if "calls" not in run else f"{run['calls']}" for run in runs), title=name)
    for field in runs[0]:
        table.add_row(field, *(_flat(run[field]) for run in runs))
    return table


def _flat(value: object) -> str:
    return " / ".join(f"{each}" for each in value.values()) if isinstance(value, dict) else f"{value}"


def machine(*, own_network: bool) -> dict[str, object]:
    """What a reader needs to judge the figures, and nothing that names the machine."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "kernel": platform.release(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_average_before": round(os.getloadavg()[0], 2),
        "own_network": own_network,
    }


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(results: Results, *, whole: bool, own_network: bool) -> None:
    """A JSON file for each part; the page only after a whole run, so that it never mixes two."""
    FOLDER.mkdir(exist_ok=True)
    now, described = datetime.now(UTC), machine(own_network=own_network)
    for name, result in results.items():
        path = FOLDER / f"{now:%Y-%m-%d}-{name}.json"
        path.write_text(json.dumps({"machine": described, "result": result}, indent=1) + "\n", encoding="utf-8")
    if whole:
        (FOLDER / "latest.md").write_text(page(results, described, now), encoding="utf-8")


def page(results: Results, described: dict[str, object], now: datetime) -> str:
    """The page in Markdown."""
    head, *body = lines(results)
    text = [f"# Last measurement, {now:%Y-%m-%d}", ""]
    text += [", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in described.items()), ""]
    text += ["How to read it: docs/performance.md. ✗ marks a figure above its goal.", ""]
    text += [_line(head), _line(["---"] * len(head)), *map(_line, body), ""]
    for name, result in results.items():
        if name != "calls":
            text += [f"## {name}", "", *_markdown(result), ""]
    return "\n".join(text)


def _markdown(result: Results) -> list[str]:
    runs = result.get("runs", [result])
    fields = [_line([field, *(_flat(run[field]) for run in runs)]) for field in runs[0]]
    return [_line([""] * (len(runs) + 1)), _line(["---"] * (len(runs) + 1)), *fields]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
