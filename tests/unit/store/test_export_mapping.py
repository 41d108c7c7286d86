"""Our grades, channels and times in other platforms' words: opposite digits, civil time, nothing guessed."""

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from store.case import Act
from store.credential import Channel
from store.exports.mapping import Kind, MappingTable, Unmappable, channels_without_code, fill
from store.exports.mapping_file import MappingMistake, parse
from store.grade import Grade


def table(name: str) -> MappingTable:
    return parse(text(name), name)


def text(name: str) -> str:
    return (files("store") / "exports" / f"{name}.yaml").read_text("utf-8")


def facts(**changes: Any) -> dict[str, Any]:
    return {
        "number": "12345-2026-000042",
        "kind": "work_order",
        "channel": "ivr",
        "grade": "dissatisfied",
        "round": 1,
        "deemed": False,
        "tags": ["207", "214"],
        "comment": None,
        "caller": None,
        "answered_at": datetime(2026, 11, 20, 16, 30, 5, tzinfo=UTC),
        "area": "220302000",
        "department": "0431",
        "department_name": "住建局",
        "item": "gjj-01",
        "item_name": "公积金提取",
        "operator": "1001",
        "item:taskHandleItem": "A1",
    } | changes


def test_a_national_record_has_the_names_of_table_9_and_the_civil_day() -> None:
    assert fill(table("national"), Kind.EVALUATION, facts(), {}) == {
        "办件编号": "12345-2026-000042",
        "评价渠道": "12345热线",
        "评价时间": "20261121T003005",
        "评价次数": 1,
        "满意度": "不满意",
        "满意度代码": 4,
        "行政区划": "220302000",
    }


def test_a_provincial_record_has_the_names_seen_in_real_interfaces() -> None:
    assert fill(table("provincial"), Kind.EVALUATION, facts(), {"dataSource": "12345"}) == {
        "dataSource": "12345",
        "projectNo": "12345-2026-000042",
        "areaCode": "220302000",
        "deptCode": "0431",
        "taskCode": "gjj-01",
        "taskHandleItem": "A1",
        "taskName": "公积金提取",
        "proStatus": "3",
        "proDepartCode": "0431",
        "proDepart": "住建局",
        "proManager": "1001",
        "pf": "6",
        "satisfaction": "2",
        "evalDetail": "207,214",
        "assessTime": "2026-11-21 00:30:05",
        "assessNumber": "1",
        "isdefault": "0",
    }


@pytest.mark.parametrize("grade", Grade)
def test_the_two_codes_of_a_grade_run_against_each_other(grade: Grade) -> None:
    national = fill(table("national"), Kind.EVALUATION, facts(grade=str(grade)), {})
    provincial = fill(table("provincial"), Kind.EVALUATION, facts(grade=str(grade)), {})
    assert national["满意度代码"] == grade.gb_code
    assert provincial["satisfaction"] == str(grade.stars)
    assert grade.gb_code + grade.stars == 6


def test_the_best_is_1_for_the_nation_and_5_for_the_province() -> None:
    best = facts(grade="very_satisfied")
    assert fill(table("national"), Kind.EVALUATION, best, {})["满意度代码"] == 1
    assert fill(table("provincial"), Kind.EVALUATION, best, {})["satisfaction"] == "5"


@pytest.mark.parametrize(
    ("variant", "channel", "code"),
    [
        (None, "web", "1"), (None, "qr", "3"), (None, "window", "4"), (None, "terminal", "5"), (None, "ivr", "6"),
        (None, "sms", "7"), ("zhejiang", "sms", "6"), ("zhejiang", "system", "7"),
    ],
)  # fmt: skip
def test_a_channel_has_the_code_of_its_province(variant: str | None, channel: str, code: str) -> None:
    own = table("provincial").variant(variant) if variant else table("provincial")
    assert fill(own, Kind.EVALUATION, facts(channel=channel), {})["pf"] == code


def test_a_channel_nobody_has_given_a_code_is_said_and_never_guessed() -> None:
    given = [channel for channel in Channel if channel is not Channel.CTI]  # which gives no grades
    assert channels_without_code(table("provincial"), given) == ["paper"]
    assert channels_without_code(table("national"), given) == []
    with pytest.raises(Unmappable, match="pf: provincial has no code for channel paper"):
        fill(table("provincial"), Kind.EVALUATION, facts(channel="paper"), {})
    with pytest.raises(Unmappable, match="channel ivr"):
        fill(table("provincial").variant("zhejiang"), Kind.EVALUATION, facts(), {})
    own = table("provincial").with_channels({"paper": "5"})
    assert fill(own, Kind.EVALUATION, facts(channel="paper"), {})["pf"] == "5"


def test_a_number_too_long_is_not_cut_and_one_not_known_is_not_made_up() -> None:
    for name in ("national", "provincial"):
        with pytest.raises(Unmappable, match="51 characters"):
            fill(table(name), Kind.EVALUATION, facts(number="9" * 51), {})
        with pytest.raises(Unmappable, match="number is not known"):
            fill(table(name), Kind.EVALUATION, facts(number=None), {})


def test_constants_fill_what_is_not_known_and_nothing_else() -> None:
    constants = {"areaCode": "220300000", "appStatus": "1"}
    assert fill(table("provincial"), Kind.EVALUATION, facts(), constants)["areaCode"] == "220302000"
    unknown = fill(table("provincial"), Kind.EVALUATION, facts(area=None), constants)
    assert (unknown["areaCode"], unknown["appStatus"]) == ("220300000", "1")


def test_a_follow_up_round_and_a_deemed_one_say_so() -> None:
    record = fill(table("provincial").variant("zhejiang"), Kind.EVALUATION,
                  facts(round=2, deemed=True, channel="system"), {})  # fmt: skip
    assert (record["assessNumber"], record["isdefault"], record["pf"]) == ("2", "1", "7")


@pytest.mark.parametrize(("reason", "malicious"), [("malicious", "1"), ("misjudged", "0")])
def test_a_decision_says_what_was_not_adopted_and_why(reason: str, malicious: str) -> None:
    record = fill(table("provincial"), Kind.DECISION, facts(adopted=False, reason=reason), {})
    assert record == {
        "projectNo": "12345-2026-000042", "assessNumber": "1", "effectivEvalua": "0", "sfeypj": malicious,
        "eypjsh": "1",
    }  # fmt: skip


def test_a_reply_says_what_was_done() -> None:
    at = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    reply = facts(act=str(Act.RECTIFIED), acted_at=at, words=None)
    assert fill(table("provincial"), Kind.REPLY, reply, {}) == {
        "projectNo": "12345-2026-000042", "assessNumber": "1", "answerdate": "2026-11-22 09:00:00",
        "sfhl": "1", "sfss": "1", "zgjg": "已整改",
    }  # fmt: skip
    rang = fill(table("provincial"), Kind.REPLY, reply | {"act": "call_back", "words": "已致歉"}, {})
    assert (rang["sfhfang"], rang["answer"]) == ("1", "已致歉")
    assert "zgjg" not in rang


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("from: grade, codes: satisfaction", "from: grade", "needs a code table"),
        ('very_satisfied: "5"', 'very_satisfied: "4"', "a code of its own"),
        ('very_satisfied: "5"', "very_satisfied: 5", "must be text in quotes"),
        ('    dissatisfied: "2"\n', "", "the five grades"),
        ("from: round", "from: rounds", "no source rounds"),
        ("codes: pf", "codes: fp", "no code table fp"),
        ("acts: [call_back", "acts: [ring_back", "ring_back"),
        ("channel_codes: pf", "channel_codes: fp", "no code table fp"),
        ("name: provincial", "nane: provincial", "nane"),
        ("version:", "# version:", "version is missing"),
        ('delivered: ["0", "200"]', "delivered: []", "delivered is empty"),
        ("kinds:", "kinds: [", "is no YAML"),
    ],
)
def test_a_mistake_in_a_table_is_found_when_it_is_loaded(old: str, new: str, says: str) -> None:
    assert old in text("provincial")
    with pytest.raises(MappingMistake, match=says) as caught:
        parse(text("provincial").replace(old, new, 1), "own.yaml")
    assert str(caught.value).startswith("own.yaml")
    assert "\n" not in str(caught.value)
