"""`/metrics`: the figures of all processes of this machine. Rule: no phone number and no token in a label.

With PROMETHEUS_MULTIPROC_DIR (set by `serve` and the units) every process writes its figures there and this one adds
them up.
"""

import os
import time
from pathlib import Path

from flask import Blueprint, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("pingjia_http_requests_total", "HTTP requests by route and status", ["method", "route", "status"])
SECONDS = Histogram(
    "pingjia_http_seconds", "Time to answer an HTTP request", buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2, 10)
)

metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def show() -> Response:
    """Give everything in Prometheus' text format."""
    return Response(generate_latest(gathered()), content_type=CONTENT_TYPE_LATEST)


def gathered() -> CollectorRegistry:
    """Give the figures of all processes, or this one's alone where they share no folder."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder or not Path(folder).is_dir():
        return REGISTRY
    _forget_the_dead(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry


def figure(registry: CollectorRegistry, name: str) -> float | None:
    """Give one gauge's value; None where no process reports it."""
    return registry.get_sample_value(name)


def _forget_the_dead(folder: Path) -> None:
    """Drop the live gauges of processes that are gone: a node killed with a full journal is not full for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        process = file.stem.rpartition("_")[2]
        if process.isdigit() and not Path(f"/proc/{process}").exists() and Path("/proc/self").exists():
            file.unlink(missing_ok=True)


@metrics.before_app_request
def _begin() -> None:
    g.began = time.perf_counter()


@metrics.after_app_request
def _count(response: Response) -> Response:
    # the rule, not the path: a path holds ids and tokens
    route = request.url_rule.rule if request.url_rule else "unknown"
    REQUESTS.labels(request.method, route, response.status_code).inc()
    SECONDS.observe(time.perf_counter() - g.began)
    return response
