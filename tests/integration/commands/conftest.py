"""Commands run in the tests' own process here: none may set up logs for all the tests after it."""

import sys
from collections.abc import Iterator

import pytest
import structlog


def set_up_logs() -> None:
    """Standard error, as in a process of its own, but no logger is kept."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr), cache_logger_on_first_use=False)


@pytest.fixture(autouse=True)
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("store.commands.jobs.set_up_logs", set_up_logs)
    yield
    structlog.reset_defaults()
