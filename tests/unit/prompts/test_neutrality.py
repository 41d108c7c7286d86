"""Texts that steer are found, the neutral ones are left alone."""

import pytest

from prompts.neutrality import steering
from prompts.recipe import sentences

ASK = "请您对刚才的服务作出评价。非常满意，请按1。满意，请按2。基本满意，请按3。不满意，请按4。非常不满意，请按5。"


def _found(text: str, language: str = "zh-CN", before_grade: bool = True) -> list[str]:
    return steering(sentences(text), language, before_grade=before_grade)


def test_the_five_grades_in_one_pattern_are_neutral() -> None:
    assert _found(ASK) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (ASK.replace("请您", "感谢您的来电，请您"), "thanks"),
        (ASK.replace("请您", "抱歉打扰，请您"), "apologises"),
        (ASK.replace("刚才的服务", "我们的优质服务"), "优质"),
        (ASK.replace("请您", "希望您"), "希望"),
        (ASK.replace("不满意，请按4。", "", 1), "all five"),
        (ASK.replace("按4", "按5").replace("非常不满意，请按5", "非常不满意，请按4"), "by key"),
        (ASK.replace("基本满意，请按3", "基本满意的话，请您按3"), "unlike"),
        ("非常不满意，请按5。不满意，请按4。基本满意，请按3。满意，请按2。非常满意，请按1。", "in order"),
    ],
)
def test_each_way_of_steering_is_named(text: str, what: str) -> None:
    assert any(what in finding for finding in _found(text)), _found(text)


def test_thanks_are_fine_once_the_grade_is_given_but_pleading_never_is() -> None:
    assert _found("您的评价已经记录，感谢您的来电，再见。", before_grade=False) == []
    assert _found("感谢您的好评。", before_grade=False) == ["pleads or praises: '好评'"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Thank you for calling. Please rate the service.", "thanks"),
        ("Sorry to keep you. Please rate the service.", "apolog"),
        ("Please rate our excellent service.", "excellent"),
        ("We hope you were very satisfied.", "hope"),
        ("Very satisfied, press 1. Satisfied, press 2.", "all five"),
    ],
)
def test_english_is_held_to_the_same(text: str, what: str) -> None:
    assert any(what in finding for finding in _found(text, "en")), _found(text, "en")


def test_a_text_splits_at_the_stops_of_both_scripts_and_not_within_a_number() -> None:
    assert sentences("中文，请按1。For English, press 2. Bye 3.5 now") == [
        "中文，请按1。",
        "For English, press 2.",
        "Bye 3.5 now",
    ]
