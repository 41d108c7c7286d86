"""Whether a text asks without steering: DB32/T clause 4.8 allows no hint of any kind.

Three rules: no pleading or praise anywhere; no thanks and no apology before the grade is settled; and where grades are
offered, all five are, in order, each in the same words but for its name and its key.
"""

import re
from itertools import pairwise

PLEADING = {
    "zh": (
        *("好评", "五星", "满分", "高分", "优质", "优秀", "热情", "耐心", "贴心", "周到", "辛苦", "宝贵", "质量"),
        *("支持", "鼓励", "务必", "恳请", "希望", "麻烦", "帮忙", "奖", "提升", "提高"),
    ),
    "en": (
        *("excellent", "great", "wonderful", "best", "valued", "valuable", "kindly", "be so kind", "quality"),
        *("support", "hope", "help us", "reward", "prize", "five stars", "top marks", "improve"),
    ),
}
COURTESY = {
    "zh": ("谢", "抱歉", "对不起", "不好意思", "遗憾", "见谅", "原谅"),
    "en": ("thank", "sorry", "apolog", "regret", "appreciate", "grateful"),
}
GRADES = {
    "zh": ("非常满意", "满意", "基本满意", "不满意", "非常不满意"),
    "en": ("very satisfied", "satisfied", "basically satisfied", "dissatisfied", "very dissatisfied"),
}


def steering(sentences: list[str], language: str, *, before_grade: bool) -> list[str]:
    """Say in words what steers in a prompt, given as its sentences; nothing if it is neutral."""
    tongue = language[:2]
    text = " ".join(sentences).lower()
    found = [f"pleads or praises: {word!r}" for word in PLEADING.get(tongue, ()) if _occurs(word, text)]
    if before_grade:
        found += [f"thanks or apologises before the grade: {word!r}" for word in COURTESY[tongue] if word in text]
        found += _unequal(sentences, tongue)
    return found


def _occurs(word: str, text: str) -> bool:
    return re.search(rf"\b{word}", text) is not None if word.isascii() else word in text


def _unequal(sentences: list[str], tongue: str) -> list[str]:
    """Where a sentence offers a grade by its key, hold all five to one pattern."""
    named = {name: key for key, name in enumerate(GRADES[tongue], start=1)}
    longest_first = "|".join(sorted(named, key=len, reverse=True))
    offers: list[tuple[int, int, str]] = []
    for sentence in sentences:
        grade = re.search(longest_first, sentence.lower())
        key = re.search(r"\d", sentence)
        if grade and key:
            pattern = re.sub(r"\d", "KEY", sentence.lower().replace(grade[0], "GRADE", 1))
            offers.append((named[grade[0]], int(key[0]), pattern))
    if not offers:
        return []
    found = []
    if [grade for grade, _, _ in offers] != [1, 2, 3, 4, 5]:
        found.append("does not offer all five grades once, in order")
    found += [f"offers grade {grade} by key {key}" for grade, key, _ in offers if grade != key]
    found += [f"words grades unlike: {a!r}, {b!r}" for (_, _, a), (_, _, b) in pairwise(offers) if a != b]
    return found
