"""The exports' figures for Prometheus: counts by target, nothing that could name anybody."""

from prometheus_client import Counter, Gauge

SENT = Counter("pingjia_exports_total", "Messages to other platforms by what came of each try", ["target", "result"])
WAITING = Gauge("pingjia_exports_waiting", "Messages not yet delivered", ["target"], multiprocess_mode="mostrecent")
DEAD = Gauge("pingjia_exports_dead", "Messages given up; see `export TARGET dead`", ["target"],
             multiprocess_mode="mostrecent")  # fmt: skip
