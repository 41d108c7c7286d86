"""How processes speak: lines for a person on a terminal, JSON lines for a machine elsewhere. Never a phone number."""

import logging
import sys

import structlog


def set_up_logs(level: int = logging.INFO) -> None:
    """Send structured events to standard error; times are UTC."""
    for_person = sys.stderr.isatty()
    render: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=24)
        if for_person
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if for_person else "iso", utc=not for_person),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
