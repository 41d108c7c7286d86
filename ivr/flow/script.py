"""The little language in which a caller's behaviour is written down: `2`, `--`, `!9 2*4`, `h`.

    0-9 * # A-D   press this key as soon as the service has finished speaking and waits for it
    !             before a key: press it at once, into whatever is playing
    =             press the last key again within a moment, as a nervous finger does
    -             keep silent until the patience of the service runs out once
    h             hang up, a moment from now
    x             (trouble) the prompt now playing fails
    f             (trouble) the journal refuses the next answer
    r, r12        speak for 5, for 12 seconds when a recording has begun

Blanks may stand anywhere. When the script is at its end the caller keeps silent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

_TOKEN: Final = re.compile(r"\s*(?:(?P<key>!?[0-9*#A-D])|(?P<word>[-=hxf])|r(?P<seconds>\d{0,3}))\s*")


class Deed(Enum):
    """What a caller, or trouble, can do without a value."""

    SILENCE = "-"
    AGAIN = "="
    HANG_UP = "h"
    PROMPT_FAILS = "x"
    JOURNAL_FAILS = "f"


@dataclass(frozen=True, slots=True)
class Press:
    """Press a key: when it is waited for, or at once."""

    key: str
    at_once: bool


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak into a recording."""

    seconds: float


Token = Deed | Press | Speak


class ScriptMistake(Exception):
    """A script that cannot be read, in one sentence."""


def parse(script: str) -> tuple[Token, ...]:
    """Read a script. Raises ScriptMistake naming the place."""
    return tuple(_tokens(script))


def _tokens(script: str) -> Iterator[Token]:
    place = 0
    while place < len(script.rstrip()):
        found = _TOKEN.match(script, place)
        if found is None:
            raise ScriptMistake(f"the script {script!r} cannot be read from character {place + 1} on")
        place = found.end()
        if found["key"]:
            yield Press(found["key"][-1], found["key"].startswith("!"))
        elif found["word"]:
            yield Deed(found["word"])
        else:
            yield Speak(float(found["seconds"] or 5))
