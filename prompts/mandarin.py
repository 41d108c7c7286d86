"""Mandarin text to syllables, and syllables to Kokoro's phonemes.

misaki's own front end for this model leaves tones as the dictionary has them; here a third tone before a third tone
becomes a second (基本满意: jī bén mǎnyì), and digits are spoken one by one and keep their own tone (1到5: yī dào wǔ).
"""

import logging
import re

from prompts.voice_packages import package

DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
MARKS = str.maketrans({"，": ", ", "。": ". ", "？": "? ", "！": "! ", "：": ": ", "；": "; ", "、": ", "})
IDEOGRAPHS = re.compile(r"[\u4e00-\u9fff]+")


def is_mandarin(sentence: str) -> bool:
    """A sentence with any Chinese character is Mandarin; one without is English."""
    return IDEOGRAPHS.search(sentence) is not None


def syllables(text: str) -> list[str]:
    """Every Chinese character as pinyin with its tone as a digit (5 neutral); what is no Chinese is left out."""
    pinyin = package("pypinyin")
    found: list[str] = []
    for run in IDEOGRAPHS.findall(text.translate(DIGITS)):
        found += pinyin.lazy_pinyin(run, style=pinyin.Style.TONE3, neutral_tone_with_five=True)
    return found


def mandarin_phonemes(sentence: str) -> str:
    """How Kokoro writes the sentence: IPA with tone arrows, words apart, punctuation kept for its pauses."""
    pieces = re.split(r"([\u4e00-\u9fff]+)", sentence.translate(DIGITS))
    return "".join(_words(piece) if IDEOGRAPHS.fullmatch(piece) else piece.translate(MARKS) for piece in pieces).strip()


def _words(run: str) -> str:
    logging.getLogger("jieba").setLevel(logging.WARNING)
    g2p = package("misaki.zh").ZHG2P
    spoken = iter(third_tones(syllables(run)))
    words = package("jieba").lcut(run)
    return " ".join("".join(g2p.py2ipa(next(spoken)) for _ in word) for word in words).replace(chr(815), "")


def third_tones(spoken: list[str]) -> list[str]:
    """Turn each third tone that stands before a third tone into a second."""
    return [
        f"{syllable[:-1]}2" if syllable.endswith("3") and after.endswith("3") else syllable
        for syllable, after in zip(spoken, [*spoken[1:], ""], strict=True)
    ]
