"""One key for one press that came by two ways: as RTP event, in a SIP INFO, as a tone in the audio."""

from dataclasses import dataclass, field
from typing import Literal

WINDOW_SECONDS = 0.3

Way = Literal["rfc4733", "info", "inband"]


@dataclass(slots=True)
class _Press:
    key: str
    at: float
    ways: set[str] = field(default_factory=set)


class KeyMerger:
    """The presses of one call within the last 300 ms, each with the ways it has come by."""

    def __init__(self) -> None:
        self._recent: list[_Press] = []

    def accept(self, key: str, way: Way, now: float) -> bool:
        """Whether this is a press of its own.

        It is not if the same key came by another way at most 300 ms ago and has not come by this way yet: two
        quick presses of one key, each heard twice, stay two.
        """
        self._recent = [press for press in self._recent if now - press.at <= WINDOW_SECONDS]
        for press in self._recent:
            if press.key == key and way not in press.ways:
                press.ways.add(way)
                return False
        self._recent.append(_Press(key, now, {way}))
        return True
