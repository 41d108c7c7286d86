"""The delivery's figures for Prometheus: counts and times, nothing that could name a caller."""

from prometheus_client import Counter, Gauge

DELIVERED = Counter("pingjia_delivered_calls_total", "Calls handed from the journal to the store")
SET_ASIDE = Counter("pingjia_set_aside_total", "Records and calls that no store will ever take")
WAITING = Gauge("pingjia_delivery_waiting_calls", "Ended calls not yet in the store", multiprocess_mode="livesum")
OLDEST = Gauge(
    "pingjia_delivery_oldest_seconds",
    "How long the oldest ended call has been waiting for the store",
    multiprocess_mode="livemax",
)
STORE_DOWN = Gauge("pingjia_delivery_store_down", "1 while the store takes nothing", multiprocess_mode="livemax")
