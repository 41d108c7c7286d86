"""Press → durable: how long an append takes until it may be thanked for, at a steady rate of appends.

python bench/journal_latency.py [--rate 200] [--seconds 10] [--folder DIR]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ivr.journal import Journal

RECORD = json.dumps(
    {
        "kind": "answer",
        "id": "0196f0c2-7b1e-7c3a-9b57-0a4a5d1f9e11",
        "question": "grade",
        "answer": "satisfied",
        "key": "2",
        "at": "2026-11-22T12:00:00.123456Z",
        "evidence": {"way": "rfc4733", "prompt": "ask", "position_ms": 4210, "rtp_timestamp": 1234567},
    }
).encode()


def measure(folder: Path, *, rate: float = 200.0, seconds: float = 10.0) -> dict[str, float]:
    """Append `rate` records a second, evenly; milliseconds from append to durable, beside the disk's own fsync."""
    floor = _fsync_floor(folder)
    journal = Journal(folder / "journal", max_bytes=256 << 20)
    journal.open()
    took: list[float] = []
    waiting = []
    start = time.perf_counter()
    for n in range(int(rate * seconds)):
        time.sleep(max(0.0, start + n / rate - time.perf_counter()))
        begun = time.perf_counter()
        future = journal.append(RECORD)
        future.add_done_callback(lambda _, begun=begun: took.append(time.perf_counter() - begun))
        waiting.append(future)
    for future in waiting:
        future.result()
    spent = time.perf_counter() - start
    journal.close()
    took.sort()
    return {
        "appends": len(took),
        "appends_per_second": round(len(took) / spent, 1),
        "durable_p50_ms": round(took[len(took) // 2] * 1000, 2),
        "durable_p99_ms": round(took[len(took) * 99 // 100] * 1000, 2),
        "durable_max_ms": round(took[-1] * 1000, 2),
        "fsync_floor_p50_ms": round(floor * 1000, 2),
    }


def in_temporary_folder(*, seconds: float) -> dict[str, float]:
    """`measure` on the disk of temporary files, at 200 appends a second."""
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder), seconds=seconds)


def _fsync_floor(folder: Path, rounds: int = 200) -> float:
    """The median of one small write and fdatasync into allocated room: what no journal here can undercut."""
    descriptor = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT)
    os.posix_fallocate(descriptor, 0, 1 << 20)
    took = []
    for n in range(rounds):
        begun = time.perf_counter()
        os.pwrite(descriptor, RECORD, n * len(RECORD))
        os.fdatasync(descriptor)
        took.append(time.perf_counter() - begun)
    os.close(descriptor)
    return sorted(took)[rounds // 2]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; default: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for name, value in measure(Path(folder), rate=options.rate, seconds=options.seconds).items():
            print(f"{name:22} {value:>10}")


if __name__ == "__main__":
    main()
