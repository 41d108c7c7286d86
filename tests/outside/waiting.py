"""Wait for something that happens in another process: looked at again and again until a deadline, never slept for."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], what: str, within: float = 10.0, every: float = 0.05) -> T:
    """Give the first thing `look` returns that is true; fails with `what` in its message when time is over."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(every)
