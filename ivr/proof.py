"""A node runs only flows that are proved: proves one at start, once for each text, set of recordings and engine."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import structlog

from ivr.flow.checks import check
from ivr.flow.conversation import lines
from ivr.flow.model import Flow
from store.grade import Grade

log = structlog.get_logger("node")

ENGINE = Path(__file__).parent / "flow"


class NotProved(Exception):
    """A flow that could leave a caller hanging; the message shows the first finding and its conversation."""


def prove_once(flow: Flow, durations: Mapping[tuple[str, str], float], folder: Path) -> None:
    """Prove the flow unless `folder` holds the note that this very proof was found to hold; raises NotProved."""
    note = folder / f"{_digest(flow, durations)}.txt"
    if note.exists():
        return
    proof = check(flow, durations, {flow.rates: [grade.value for grade in Grade]})
    if not proof.holds:
        finding = proof.findings[0]
        shown = "\n".join(f"    {line}" for line in lines(finding.conversation))
        raise NotProved(f"the flow {flow.name} is not proved ({len(proof.findings)} found): {finding.message}\n{shown}")
    log.info("flow proved", flow=flow.name, version=flow.version, states=proof.states, longest=proof.longest_seconds)
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{flow.name} {flow.version}: {proof.states} states, longest call {proof.longest_seconds} s\n")


def _digest(flow: Flow, durations: Mapping[tuple[str, str], float]) -> str:
    """Name what was proved: the flow's text, the seconds of what it can play, and the engine that plays it."""
    known = hashlib.sha256(flow.version.encode())
    used = flow.prompts()
    known.update(repr(sorted(item for item in durations.items() if item[0][1] in used)).encode())
    for source in sorted(ENGINE.glob("*.py")):
        known.update(source.read_bytes())
    return known.hexdigest()[:32]
