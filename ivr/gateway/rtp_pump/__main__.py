"""The media process's way in: load the recordings, ask for real-time priority, then pump until the node is gone.

python -m ivr.gateway.rtp_pump LINK ORDERS        (descriptors of the node's two sockets)
"""

import contextlib
import gc
import os
import resource
import signal
import socket
import sys
from pathlib import Path

from ivr.gateway.media_messages import LARGEST_MESSAGE, BeginService, Configure, LoadPrompt, Ready, decode
from ivr.gateway.rtp_pump.prompt_frames import PromptFrames
from ivr.gateway.rtp_pump.pump import RtpPump
from ivr.media.errors import UnusableRecording

REAL_TIME_PRIORITY = 10


def load_prompt(prompts: PromptFrames, order: LoadPrompt) -> str | None:
    """Load one recording; the reason if it cannot be played."""
    try:
        prompts.load(order.language, order.prompt, Path(order.path))
    except UnusableRecording as error:
        return str(error)
    return None


def take_real_time() -> bool:
    """Ask for real-time scheduling, so that the clock does not queue for a core; whether it was granted."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REAL_TIME_PRIORITY))
    except (OSError, AttributeError):
        return False
    return True


def raise_file_limit() -> None:
    """A call has three sockets, and 1024 files are often all a process may open unless it asks."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(link_descriptor: int, orders_descriptor: int) -> None:
    """Take the settings and prompts from the link, say Ready, serve."""
    for interruption in (signal.SIGINT, signal.SIGTERM):
        # they are the node's to handle: running calls finish first, then the link ends
        signal.signal(interruption, signal.SIG_IGN)
    link, orders = socket.socket(fileno=link_descriptor), socket.socket(fileno=orders_descriptor)
    settings: Configure | None = None
    prompts = PromptFrames()
    unreadable: list[tuple[str, str, str]] = []
    while datagram := link.recv(LARGEST_MESSAGE):
        match decode(datagram):
            case Configure() as settings:
                pass
            case LoadPrompt(language, prompt) as order:
                reason = load_prompt(prompts, order)
                if reason is not None:
                    unreadable.append((language, prompt, reason))
            case BeginService():
                break
    if settings is None or not datagram:
        return
    raise_file_limit()
    pump = RtpPump(link, orders, settings, prompts)
    gc.collect()
    gc.freeze()
    gc.disable()
    link.setblocking(False)
    orders.setblocking(False)
    pump.run(Ready(tuple(unreadable), take_real_time()))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
