"""How processes speak: lines for a person on a terminal, JSON lines for a machine elsewhere. Never a phone number."""

import json
import logging
import sys
from datetime import UTC, datetime

import structlog
from structlog.typing import EventDict, WrappedLogger

# made once: `json.dumps` with options of its own makes an encoder for every line
_to_json = json.JSONEncoder(ensure_ascii=False, default=repr).encode


def set_up_logs(level: int = logging.INFO) -> None:
    """Send structured events to standard error; times are UTC."""
    structlog.configure(
        processors=_for_person() if sys.stderr.isatty() else [_json_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # one write for a line and its end
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _for_person() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer(pad_event_to=24),
    ]


def _json_line(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """One step for a whole line: a call writes six, and the usual chain of steps costs thrice as much."""
    event["level"] = "error" if method == "exception" else method
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(logger, method, event)
    return _to_json(event)
