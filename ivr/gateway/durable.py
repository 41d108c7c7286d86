"""Between the journal's thread and the event loop: append, and hear in the loop how it ended."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

from ivr.journal import Journal, JournalError, Position


def append_to(journal: Journal, payload: bytes, *, reserve: bool) -> "Future[Position]":
    """Append, with a refusal at the call and a refusal later told in one way: by the future."""
    try:
        return journal.append(payload, reserve=reserve)
    except JournalError as fault:
        refused: Future[Position] = Future()
        refused.set_exception(fault)
        return refused


def when_durable(appended: "Future[Position]", then: Callable[[BaseException | None], None]) -> None:
    """Call `then` in this loop, never at once, with the fault or None (`wrap_future` takes two hops)."""
    loop = asyncio.get_running_loop()

    def tell(done: "Future[Position]") -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(then, done.exception())

    appended.add_done_callback(tell)


async def durable(appended: "Future[Position]") -> None:
    """Wait until the record is on disk; raises what the journal said."""
    waiting: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
    when_durable(appended, lambda fault: None if waiting.done() else waiting.set_result(fault))
    fault = await waiting
    if fault is not None:
        raise fault
