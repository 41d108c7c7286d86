"""How fast a channel may ask. Rule: one limit for all processes, and a write for a handful of requests, not for each.

The table holds for each channel the moment at which all it was let through would be served at its rate (the generic
cell rate algorithm, ITU-T I.371). A process draws a tenth of a second's worth at a time and hands it out from memory;
what it has not handed out after ten seconds lapses. Flask-Limiter was not taken: in memory it counts each gunicorn
worker apart, and shared it wants a Redis this machine has not got.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from store.credential import Credential
from store.database import writing
from store.schema import ChannelBucket

_LAPSE = timedelta(seconds=10)
_BURST_SECONDS = 10
_SMALLEST_BURST = 5


@dataclass(slots=True)
class _Drawn:
    """What may be handed out until when; none left and a time to come: refused without asking the table again."""

    left: int
    until: datetime
    refused: bool = False


class Rates:
    """The limiter of one process."""

    def __init__(self, engine: Engine, per_minute: int, clock: Callable[[], datetime]) -> None:
        """`per_minute`: for channels without a rate of their own."""
        self._engine = engine
        self._per_minute = per_minute
        self._clock = clock
        self._drawn: dict[str, _Drawn] = {}
        self._lock = Lock()

    def pass_one(self, channel: Credential) -> int | None:
        """Let one request through (None), or give the seconds after which to try again."""
        now = self._clock()
        with self._lock:
            drawn = self._drawn.get(channel.id)
            if drawn and now < drawn.until:
                if drawn.refused:
                    return math.ceil((drawn.until - now).total_seconds())
                if drawn.left:
                    drawn.left -= 1
                    return None
        rate = channel.per_minute or self._per_minute
        handful = max(1, rate // 600)
        wait = _draw(self._engine, channel.id, handful, rate / 60, now)
        with self._lock:
            if wait:
                self._drawn[channel.id] = _Drawn(0, now + timedelta(seconds=wait), refused=True)
                return math.ceil(wait)
            self._drawn[channel.id] = _Drawn(handful - 1, now + _LAPSE)
        return None


def _draw(engine: Engine, channel: str, requests: int, per_second: float, now: datetime) -> float:
    """Draw requests from a channel's rate; give 0, or the seconds until there will be so many."""
    bucket = ChannelBucket
    try:
        with writing(engine) as connection:
            row = select(bucket.busy_until).where(bucket.credential == channel).with_for_update()
            busy = connection.scalar(row)
            then = max(busy or now, now) + timedelta(seconds=requests / per_second)
            burst = max(_SMALLEST_BURST, per_second * _BURST_SECONDS, requests) / per_second
            wait = (then - now).total_seconds() - burst
            values = {"last_used_at": now} | ({} if wait > 0 else {"busy_until": then})
            if busy is None:
                connection.execute(insert(bucket).values(credential=channel, **{"busy_until": then} | values))
            else:
                connection.execute(update(bucket).where(bucket.credential == channel).values(values))
            return max(0.0, wait)
    except IntegrityError:  # another process made the row just now
        return _draw(engine, channel, requests, per_second, now)
