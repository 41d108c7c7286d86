"""The node's figures for Prometheus: counts and times, never a number or a name of anybody.

A figure is noted when it arises and written down with others a moment later: ten times as cheap, because the
library's code and its mapped files are cold for the one and warm for the many.
"""

from prometheus_client import Counter, Gauge, Histogram

CALLS = Counter("pingjia_calls_total", "Answered calls by outcome", ["outcome"])
REFUSED = Counter("pingjia_calls_refused_total", "INVITEs answered with a final error, by status", ["status"])
ACTIVE = Gauge("pingjia_calls_active", "Calls between answer and end", multiprocess_mode="livesum")
ANSWER = Histogram(
    "pingjia_answer_seconds", "INVITE received to 200 sent", buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2)
)
DURABLE = Histogram(
    "pingjia_press_durable_seconds",
    "Key received to durable in the journal",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
)
STOPPED = Histogram(
    "pingjia_press_stop_seconds",
    "Key received to the prompt's stop ordered",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1),
)
KEYS = Counter("pingjia_keys_total", "Keys heard, by way", ["way"])
UNSTORED = Counter("pingjia_answers_not_stored_total", "Answers the journal refused: callers heard an apology")
JOURNAL_BYTES = Gauge("pingjia_journal_bytes", "Bytes the journal uses on disk", multiprocess_mode="livesum")
JOURNAL_FULL = Gauge("pingjia_journal_full", "1 while the journal refuses records", multiprocess_mode="livemax")
LAST_WORDS = Gauge(
    "pingjia_call_ends_waiting",
    "Ends of calls kept in memory until the journal takes them",
    multiprocess_mode="livesum",
)
SIP_FAULTS = Counter("pingjia_sip_faults_total", "Messages refused or dropped before a call, by kind", ["kind"])
STRANGERS = Counter("pingjia_sip_strangers_total", "Messages from sources outside SIP_TRUNKS")
RTP_FOREIGN = Counter("pingjia_rtp_foreign_total", "RTP packets ignored because of their source")
RTP_LATE = Gauge("pingjia_rtp_late_p99_ms", "Lateness of the 20 ms clock, 99th percentile", multiprocess_mode="livemax")
RTP_SKIPPED = Counter("pingjia_rtp_skipped_frames_total", "Frames whose time had passed before they could be sent")
PUMP_RESTARTS = Counter("pingjia_media_restarts_total", "Times the media process had to be started again")


_noted: list[tuple[Counter | Gauge | Histogram, float, tuple[str, ...]]] = []


def note(figure: Counter | Gauge | Histogram, value: float, *labels: str) -> None:
    """Keep a value for `write_down`: a counter grows by it, a gauge becomes it, a histogram observes it."""
    _noted.append((figure, value, labels))


def write_down() -> None:
    """Write what was noted into the files that /metrics is answered from."""
    for figure, value, labels in _noted:
        one = figure.labels(*labels) if labels else figure
        match one:
            case Counter():
                one.inc(value)
            case Gauge():
                one.set(value)
            case Histogram():
                one.observe(value)
    _noted.clear()
