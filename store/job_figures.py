"""The jobs' figures for Prometheus: counts and days, nothing that could name anybody."""

from prometheus_client import Counter, Gauge

DONE = Counter("pingjia_jobs_done_total", "Rows that the jobs have dealt with", ["job"])
LAST = Gauge("pingjia_jobs_last_round_timestamp", "When a round of all jobs last ended", multiprocess_mode="max")
STORE_DOWN = Gauge("pingjia_jobs_store_down", "1 while the store takes nothing", multiprocess_mode="livemax")
CALENDAR_DAYS = Gauge(
    "pingjia_calendar_days", "Days ahead whose working days are published, at most 60", multiprocess_mode="livemax"
)
