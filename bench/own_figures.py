"""The service's own figures from the folder in which its processes keep them: `python -m bench.own_figures FOLDER`.

A process of its own, with PROMETHEUS_MULTIPROC_DIR naming the same folder: the library reads it when imported.
"""

import json
import sys

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector


def read(folder: str) -> dict[str, object]:
    """Keys heard, the histogram of press to durable (cumulative), the media clock's lateness."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)
    durable: list[tuple[str, float]] = []
    sums: dict[str, float] = {}
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name == "pingjia_press_durable_seconds_bucket":
                durable.append((sample.labels["le"], sample.value))
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return {
        "press_durable": sorted(durable, key=lambda bucket: float(bucket[0])),
        "keys": round(sums.get("pingjia_keys_total", 0)),
        "clock_late_p99_ms": sums.get("pingjia_rtp_late_p99_ms"),
        "frames_skipped": round(sums.get("pingjia_rtp_skipped_frames_total", 0)),
    }


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1])))
