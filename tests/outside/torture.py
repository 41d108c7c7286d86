"""The torture messages of RFC 4475 and RFC 5118 with what may be answered to each; from the shared corpora, if there.

`EXPECTED_FAILURES` is the one list of vectors this service does not answer as it should, by name. It is empty.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
EXPECTED_FAILURES: frozenset[str] = frozenset()
ALL = 61


@dataclass(frozen=True, slots=True)
class Vector:
    """One message: its bytes' file and the statuses that may answer it, such as `2xx` or `404`; none: silence."""

    path: Path
    accepted: tuple[str, ...]

    def fits(self, statuses: list[int]) -> bool:
        """Whether these responses, provisional ones among them, are a right answer."""
        if not self.accepted:
            return statuses == []
        return bool(statuses) and all({str(each), f"{each // 100}xx"} & {*self.accepted, "1xx"} for each in statuses)


def _read() -> list[Vector]:
    vectors = []
    for corpus in ("rfc4475", "rfc5118"):
        table = CORPORA / corpus / "EXPECTED.tsv"
        if table.exists():
            with table.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines, delimiter="\t"):
                    expected = row["accept_from_ivr_uas_over_udp"]
                    accepted = () if expected == "DROP" else tuple(expected.split(","))
                    vectors.append(Vector(CORPORA / corpus / row["file"], accepted))
    return vectors


VECTORS = _read()
PARAMETERS = [
    pytest.param(
        each, id=each.path.name, marks=[pytest.mark.xfail(strict=True)] * (each.path.name in EXPECTED_FAILURES)
    )
    for each in VECTORS
]
needed = pytest.mark.skipif(not VECTORS, reason=f"the torture messages are not at {CORPORA}")
