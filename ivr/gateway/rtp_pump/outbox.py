"""What the media process tells the node, through a socket that never makes the clock wait."""

import socket
from collections import deque

from ivr.gateway.media_messages import Report, encode

LIMIT = 20_000


class Outbox:
    """Messages in order; those the socket does not take now wait here.

    A node that has let 20,000 wait does not live any more: what comes then is lost and counted.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._waiting: deque[bytes] = deque()
        self._mentioned: list[bytes] = []
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many messages the node has not taken yet."""
        return len(self._waiting)

    def tell(self, message: Report) -> None:
        """Send now if nothing waits, else in its turn."""
        if len(self._waiting) >= LIMIT:
            self.lost += 1
            return
        self._waiting.extend(self._mentioned)
        self._mentioned.clear()
        self._waiting.append(encode(message))
        self.flush()

    def mention(self, message: Report) -> None:
        """Send with what is told next: the node need not wake for it alone."""
        if len(self._waiting) + len(self._mentioned) >= LIMIT:
            self.lost += 1
            return
        self._mentioned.append(encode(message))

    def tell_mentioned(self) -> None:
        """Send what was mentioned and not sent since."""
        self._waiting.extend(self._mentioned)
        self._mentioned.clear()
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the socket takes it."""
        while self._waiting:
            try:
                self._link.send(self._waiting[0])
            except BlockingIOError:
                return
            except OSError:
                # the node is gone; the loop learns it by reading
                self._waiting.clear()
                return
            self._waiting.popleft()
