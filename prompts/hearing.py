"""What was said against what was heard, counted by syllable (Mandarin) or by word (English).

Homophones count as heard: a caller hears syllables, not characters. So Mandarin is compared by pinyin, once without
and once with tones: a small recogniser often writes 电 (diàn) as 点 (diǎn) where no listener would err.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from prompts.mandarin import DIGITS, IDEOGRAPHS, is_mandarin, syllables

_ENGLISH_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# what a recogniser writes in figures and signs, as it was spoken
_MANDARIN_SIGNS = (
    (re.compile(r"(?<=\d)\s*[-~—至]\s*(?=\d)"), "到"),
    (re.compile(r"\*"), "星"),
    (re.compile("#"), "井"),
)
_ENGLISH_SIGNS = (
    (re.compile(r"(?<=\d)\s*[-~–]\s*(?=\d)"), " to "),
    (re.compile(r"\*"), " star "),
    (re.compile("#"), " hash "),
    (re.compile(r"good[ -]bye", re.IGNORECASE), "goodbye"),
)


def units(text: str, language: str) -> list[str]:
    """Syllables of a Mandarin text with any foreign word between them in small letters; words of an English one."""
    return _mandarin(text) if language.startswith("zh") else _english(text)


def without_tones(spoken: Sequence[str]) -> list[str]:
    """Syllables without the digit of their tone."""
    return [unit.rstrip("12345") for unit in spoken]


def errors(said: Sequence[str], heard: Sequence[str]) -> list[int]:
    """Align with the fewest substitutions, deletions and insertions; returns the place in `said` of each one.

    An insertion belongs to the unit before it.
    """
    table = _distances(said, heard)
    row, column, places = len(said), len(heard), []
    while row or column:
        here = table[row][column]
        if row and column and here == table[row - 1][column - 1] + (said[row - 1] != heard[column - 1]):
            row, column = row - 1, column - 1
            if said[row] != heard[column]:
                places.append(row)
        elif row and here == table[row - 1][column] + 1:
            row -= 1
            places.append(row)
        else:
            column -= 1
            places.append(max(0, row - 1))
    return places[::-1]


def _distances(said: Sequence[str], heard: Sequence[str]) -> list[list[int]]:
    table = [list(range(len(heard) + 1))]
    for number, unit in enumerate(said, start=1):
        row = [number]
        for column, (diagonal, above) in enumerate(pairwise(table[-1])):
            row.append(min(diagonal + (unit != heard[column]), above + 1, row[-1] + 1))
        table.append(row)
    return table


def _mandarin(text: str) -> list[str]:
    for sign, spoken in _MANDARIN_SIGNS:
        text = sign.sub(spoken, text)
    found: list[str] = []
    for piece in re.findall(rf"{IDEOGRAPHS.pattern}|[A-Za-z']+", text.translate(DIGITS)):
        found += syllables(piece) if is_mandarin(piece) else [piece.lower()]
    return found


def _english(text: str) -> list[str]:
    for sign, spoken in _ENGLISH_SIGNS:
        text = sign.sub(spoken, text)
    text = re.sub(r"\d", lambda digit: f" {_ENGLISH_DIGITS[int(digit[0])]} ", text)
    return [word.strip("'") for word in re.findall(r"[a-z']+", text.lower().replace("’", "'"))]
