"""A flow file is loaded whole or not at all; every mistake is named with its place and what was probably meant."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow.loader import MOST_TEXT, FlowMistakes, load
from ivr.flow.model import Change, Choice, Close, Flow, Menu, NoMatch, Question, Recording, Replay, Try
from ivr.flow.yaml_fields import Mistake

Twin = Callable[..., str]


def mistakes(text: str) -> list[Mistake]:
    with pytest.raises(FlowMistakes) as caught:
        load(Path("a.yaml"), text)
    return caught.value.mistakes


def place(text: str, at: str) -> tuple[int, int]:
    """Line and column, from 1, of the first occurrence."""
    before = text[: text.index(at)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def only(text: str) -> Mistake:
    found = mistakes(text)
    assert len(found) == 1, [str(mistake) for mistake in found]
    return found[0]


def test_the_shipped_flow_says_what_it_says(shipped: Flow) -> None:
    grade = shipped.nodes["grade"]
    assert isinstance(grade, Question)
    assert list(grade.keys.items()) == [
        ("1", "very_satisfied"),
        ("2", "satisfied"),
        ("3", "basically_satisfied"),
        ("4", "dissatisfied"),
        ("5", "very_dissatisfied"),
    ]
    assert grade.collect.tries == (Try(("ask",), 6.0), Try(("ask_again",), 8.0), Try(("ask_slowly",), 8.0))
    assert grade.collect.nomatch == NoMatch(("wrong_key",), 3, "invalid")
    assert grade.collect.replay == Replay("0", 2)
    assert grade.confirm["satisfied"] == ("heard", "grade_satisfied")
    assert grade.change == Change("*", ("change",), 2.0, 2, Try(("ask_again",), 6.0))
    assert shipped.nodes["thanks"] == Close(("thanks",), "rated")
    assert shipped.languages == ("zh-CN", "en")
    assert not shipped.records


def test_the_extended_flow_uses_the_rest_of_the_language(extended: Flow) -> None:
    language, comment = extended.nodes["choose_language"], extended.nodes["comment"]
    assert isinstance(language, Menu)
    assert language.keys == {"1": Choice("grade", "zh-CN"), "2": Choice("grade", "en")}
    assert comment == Recording("comment", ("comment", "beep"), True, 60.0, 1.0, 4.0, "#", "call_back")
    assert extended.records


def test_the_version_names_the_declared_one_and_the_text(shipped: Flow, shipped_text: str) -> None:
    assert shipped.version == f"1+{hashlib.sha256(shipped_text.encode()).hexdigest()[:12]}"
    assert load(None, shipped_text + "# a word\n").version != shipped.version


@pytest.mark.parametrize(("old", "new", "at", "message", "suggestion"), [
    ("next: thanks", "next: thank", "thank\n", "`next` of node `grade` leads to `thank`, which is no node", "`thanks`"),
    ("start: grade", "start:  gradez", "gradez", "`start` of the flow leads to `gradez`", "`grade`"),
    ("end: silent", "end: slient", "slient", "`slient` is no outcome", "`silent`"),
    ("rates: grade", "rates:  rade", "rade  ", "`rates` of the flow names `rade`, which is no question", "`grade`"),
    ("    replay:", "    repaly:", "repaly", "node `grade` has no field `repaly`", "`replay`"),
    ("wait_seconds: 6}", "wait_seconds: six}", "six", "must be a number, not `six`", ""),
    ("wait_seconds: 6}", "wait_seconds: 600}", "600", "must lie within 1 and 30", ""),
    ("wait_seconds: 6}", "wait_seconds: -1}", "-1", "must be a number, not `-1`", ""),
    ("wait_seconds: 6}", "wait_seconds: 6, barge_in: maybe}", "maybe", "must be true or false, not `maybe`", ""),
    ("tries: 3,", "tries: 1.5,", "1.5", "must be a whole number", ""),
    ("tries: 3,", "tries: unlimited,", "unlimited", "must be a number, not `unlimited`", ""),
    ("tries: 3, ", "", "{say: wrong_key", "`nomatch` of node `grade` lacks the field `tries`", ""),
    ('key: "0", at_most: 1', 'key: "0"', '{key: "0"', "`replay` of node `grade` lacks the field `at_most`", ""),
    ('"5": very', '"1":  very', '"1":  ', "`1` stands twice in `keys` of node `grade`", "keep one of them"),
    ('"5": very', '"E": very', '"E"', "a key of node `grade` `E` is not well formed", "keys are 0-9"),
    ('"5": very_', '"5": Very_', "Very_", "the answer of key `5` `Very_dissatisfied` is not well formed", "letters"),
    ('key: "0"', 'key: "5"', '"5", at', "the replay key of node `grade` stands in its key map too", ""),
    ('key: "0"', 'key: "00"', '"00"', "`key` of `replay` of node `grade` `00` is not well formed", "one key"),
    ("say: change", "say: [change, {a: b}]", "{a: b}", "`say` of `change` of node `grade` must be text", ""),
    ("say: change", "say: []", "[]", "must not be empty", ""),
    ("say: change", "say: ''", "''", "must be text", ""),
    ("[heard, ", "[Heard, ", "Heard", "`Heard` is not well formed", "small letters"),
    ("flow: post", "flow: 1post", "1post", "`flow` of the flow `1post_call_survey` is not", "small letters"),
    ("[zh-CN]", "[Chinese]", "Chinese", "a language `Chinese` is not well formed", "zh-CN"),
    ("zh-CN: 27", "zh-TW: 27", "zh-TW", "has no field `zh-TW`", "`zh-CN`"),
    ("  thanks: {", "  thanks: {menu: {}, ", "{menu", "node `thanks` lacks the field `tries`", ""),
    ("thanks: {say: thanks, end: rated}", "thanks: rated", "rated\n", "node `thanks` must be a mapping", ""),
    ("thanks: {say: thanks, end: rated}", "thanks: {next: a}", "{next: a}", "node `thanks` is of no kind", "question"),
    ("\nfault: fault", "\n", "flow: post", "the flow lacks the field `fault`", ""),
])  # fmt: skip
def test_each_mistake_is_named_where_it_stands(
    twin: Twin, old: str, new: str, at: str, message: str, suggestion: str
) -> None:
    text = twin((old, new))
    found = mistakes(text)
    here = [one for one in found if message in one.message]
    assert here, [str(one) for one in found]
    assert (here[0].line, here[0].column) == place(text, at)
    assert suggestion in here[0].suggestion


@pytest.mark.parametrize(("old", "new", "message"), [
    ("{none: choose_language}", "{nnoe: choose_language}", "a case names `nnoe`, which is no language of the flow"),
    ("branch: contact_language", "branch: contacts", "`branch` names `contacts`, which is no question"),
    ("{dissatisfied: comment,", "{unsatisfied: comment,", "a case names `unsatisfied`, which is no answer to `grade`"),
    ("{dissatisfied: comment,", "{dissatisfied: coment,", "leads to `coment`, which is no node"),
    ("language: en,", "language: fr,", "a key's `language` names `fr`, which is no language of the flow"),
    ("otherwise: thanks", "otherwise: how_was_it", "branch `how_was_it` can lead back to itself"),
    ('stop_key: "#"', "stop_key: #", "`stop_key` of node `comment` must be text"),
    ("maximum_seconds: 60", "maximum_seconds: 6000", "must lie within 1 and 300"),
])  # fmt: skip
def test_names_must_lead_somewhere(extended_text: str, old: str, new: str, message: str) -> None:
    assert old in extended_text
    assert message in only(extended_text.replace(old, new, 1)).message


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(twin: Twin) -> None:
    text = twin(("end: silent", "end: slient"), ("next: thanks", "next: thank"), ("rates: grade", "rate: grade"))
    found = mistakes(text)
    assert [(one.message, one.suggestion) for one in found] == [
        ("the flow lacks the field `rates`", ""),
        ("the flow has no field `rate`", "did you mean `rates`?"),
        ("`next` of node `grade` leads to `thank`, which is no node", "did you mean `thanks`?"),
        ("`slient` is no outcome", "did you mean `silent`?"),
    ]
    line, column = place(text, "slient")
    assert str(found[-1]) == f"a.yaml:{line}:{column}: `slient` is no outcome (did you mean `silent`?)"


def test_an_unquoted_star_is_recognised_as_the_key_it_was_meant_to_be(twin: Twin) -> None:
    text = twin(('key: "*"', "key: *"))
    mistake = only(text)
    assert (mistake.line, mistake.suggestion) == (place(text, "key: *")[0], "write keys in quotes")


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "flow: [", "a: b: c", "\x00", "- a\n- b", "42", "[" * 500, "&a [*a]"]
)
def test_what_is_no_flow_is_a_mistake_and_no_crash(text: str) -> None:
    assert mistakes(text)


def test_a_file_of_a_megabyte_is_no_flow() -> None:
    assert "at most" in only("#" * (MOST_TEXT + 1)).message


@given(st.text(max_size=200))
def test_no_text_whatever_crashes_the_loader(text: str) -> None:
    assert mistakes(text)


@given(st.data())
def test_no_damage_to_the_shipped_flow_crashes_the_loader(shipped_text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shipped_text)))
    end = data.draw(st.integers(start, min(len(shipped_text), start + 40)))
    put = data.draw(st.sampled_from(["", "x", ": ", "\n", "[", "{", "- ", '"', "*", "0", "null", "&a ", "<<: ", "\t"]))
    with suppress(FlowMistakes):
        load(None, shipped_text[:start] + put + shipped_text[end:])
