"""Puts what was examined into a table for people and a tree for programs."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from prompts.catalogue import Catalogue
from prompts.checking import Examined
from prompts.listening_figures import Figures, FiguresUnreadable

WIDTH_OF_A_FILE = 160  # a pipe has no width of its own

Remark = tuple[str, str, str]  # language, id, what is wrong


def tree(examined: Sequence[Examined], figures: Sequence[Remark]) -> dict[str, object]:
    """Everything measured and found, in plain values."""
    return {
        "recordings": [_row(one) for one in examined],
        "listening": [{"language": language, "id": name, "finding": what} for language, name, what in figures],
    }


def show(catalogue: Catalogue, examined: Sequence[Examined], figures: Sequence[Remark]) -> None:
    """Print the table, the figures of listening, and below them every finding in a line of its own."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_FILE)
    table = Table(box=None, header_style="bold")
    for heading in ("language", "prompt", "rate", "ch", "s", "dBov", "peak", "lead", "trail", "misheard", "voice", ""):
        table.add_column(
            heading, no_wrap=True, justify="left" if heading in {"language", "prompt", "voice", ""} else "right"
        )
    heard = _figures(catalogue)
    for one in examined:
        table.add_row(*_cells(one, heard))
    console.print(table)
    for language in heard.prompts if heard else ():
        assert heard is not None
        whole = heard.overall(language)
        console.print(
            f"{language}: misheard {whole.clean:.1%} on a clean line, {whole.lossy:.1%} with 5 % of packets lost"
            f" ({whole.lossy_with_tones:.1%} if a wrong tone counts)"
        )
    unapproved = sum(not one.approved for one in examined)
    if unapproved:
        console.print(f"{unapproved} of {len(examined)} recordings are not approved by a native speaker")
    remarks = [(one.language, one.id, what) for one in examined for what in one.findings]
    for language, name, what in [*remarks, *figures]:
        where = "/".join(part for part in (language, name) if part)
        console.print(f"{where}: {what}" if where else what, style="red", soft_wrap=True, highlight=False)
    console.print("no findings" if not remarks and not figures else f"{len(remarks) + len(figures)} findings")


def _figures(catalogue: Catalogue) -> Figures | None:
    try:
        return Figures.load(catalogue.folder)
    except FiguresUnreadable:
        return None


def _cells(one: Examined, heard: Figures | None) -> list[str]:
    figure = heard.prompts.get(one.language, {}).get(one.id) if heard else None
    misheard = f"{figure.lossy:.1%}" if figure else "-"
    mark = "findings" if one.findings else "ok"
    if one.wav is None or one.level is None or one.ends is None:
        return [one.language, one.id, *["-"] * 7, misheard, one.voice, mark]
    measured = [
        str(one.wav.rate),
        str(one.wav.channels),
        f"{one.seconds:.2f}",
        f"{one.level.active_dbov:.1f}",
        f"{one.level.peak_dbov:.1f}",
        f"{one.ends.leading_seconds:.2f}",
        f"{one.ends.trailing_seconds:.2f}",
    ]
    return [one.language, one.id, *measured, misheard, one.voice, mark]


def _row(one: Examined) -> dict[str, object]:
    row: dict[str, object] = {"language": one.language, "id": one.id, "voice": one.voice, "approved": one.approved}
    if one.wav is not None and one.level is not None and one.ends is not None:
        row |= {
            "rate": one.wav.rate,
            "channels": one.wav.channels,
            "bits": one.wav.bits,
            "seconds": one.seconds,
            "level_dbov": _finite(one.level.active_dbov),
            "peak_dbov": _finite(one.level.peak_dbov),
            "leading_seconds": one.ends.leading_seconds,
            "trailing_seconds": one.ends.trailing_seconds,
        }
    return row | {"findings": list(one.findings)}


def _finite(level: float) -> float | None:
    """JSON knows no infinity: silence has no level."""
    return level if level > float("-inf") else None
