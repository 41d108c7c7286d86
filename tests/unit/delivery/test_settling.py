"""Records of many calls become whole calls, whatever their order, and wherever the delivery is restarted."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ivr.delivery.settling import Poison, Settled, Settling
from ivr.gateway.journal_records import AnswerRecord, CallRecord, EndedRecord
from ivr.journal import Damage, Entry, Position

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGIN = Position(1, 0)


def call(id_: str, match: str = "none") -> bytes:
    return CallRecord(id_, f"{id_}@pbx", "node-1", "survey", "1+abc", "zh-CN", NOON, NOON, match).payload()


def answer(id_: str, key: str = "2", question: str = "grade") -> bytes:
    return AnswerRecord(id_, question, f"answer {key}", key, NOON).payload()


def ended(id_: str) -> bytes:
    return EndedRecord(id_, NOON, "service", "rated", 1).payload()


def entries(*payloads: bytes) -> list[Entry]:
    return [Entry(Position(1, 10 * n), Position(1, 10 * n + 10), payload) for n, payload in enumerate(payloads)]


def settle(*payloads: bytes) -> list[Settled | Poison]:
    settling = Settling(BEGIN, "")
    return [result for entry in entries(*payloads) if (result := settling.take(entry))]


@st.composite
def mixed_calls(draw) -> list[bytes]:
    """The records of a few calls, each call's in order, the calls' mixed at random."""
    queues = {
        id_: [
            call(id_),
            *(answer(id_, key) for key in draw(st.lists(st.sampled_from("12345"), max_size=2))),
            ended(id_),
        ]
        for id_ in draw(st.lists(st.sampled_from(["aa", "bb", "cc", "dd", "ee"]), unique=True, min_size=1))
    }
    payloads = []
    while queues:
        id_ = draw(st.sampled_from(sorted(queues)))
        payloads.append(queues[id_].pop(0))
        if not queues[id_]:
            del queues[id_]
    return payloads


@given(mixed_calls(), st.data())
def test_restarted_anywhere_every_call_is_settled_equally_and_nothing_is_taken_for_poison(payloads, data):
    everything = entries(*payloads)
    expected = {one.call.id: one.call for one in settle(*payloads)}
    acknowledged, note, settled = BEGIN, "", {}
    for _ in range(data.draw(st.integers(0, 3))):
        settling = Settling(acknowledged, note)
        rest = [entry for entry in everything if entry.before >= acknowledged]
        for entry in rest[: data.draw(st.integers(0, len(rest)))]:
            if (result := settling.take(entry)) is not None:
                settled.setdefault(result.call.id, result.call)
                assert expected[result.call.id] == result.call
        acknowledged, note = settling.acknowledgeable()
        begun_before = {one.id for one in expected.values()}
        assert set(note.split()) <= settled.keys() & begun_before
    settling = Settling(acknowledged, note)
    for entry in everything:
        if entry.before >= acknowledged and (result := settling.take(entry)) is not None:
            settled.setdefault(result.call.id, result.call)
    assert settled == expected
    assert settling.acknowledgeable() == (everything[-1].after, "")


def test_calls_come_in_the_order_in_which_they_ended():
    results = settle(call("aa"), call("bb"), ended("bb"), ended("aa"))
    assert [result.call.id for result in results] == ["bb", "aa"]


def test_the_last_answer_to_a_question_stands():
    (result,) = settle(call("aa"), answer("aa", "1"), answer("aa", "2", "solved"), answer("aa", "4"), ended("aa"))
    assert [(given.question, given.key) for given in result.call.answers] == [("solved", "2"), ("grade", "4")]


def test_nothing_is_acknowledged_past_the_oldest_call_that_has_not_ended():
    settling = Settling(BEGIN, "")
    for entry in entries(call("aa"), ended("aa"), call("bb"), call("cc"), ended("cc")):
        settling.take(entry)
    assert settling.acknowledgeable() == (Position(1, 20), "")


def test_a_call_that_began_before_that_point_and_ended_after_it_is_named_in_the_note():
    settling = Settling(BEGIN, "")
    for entry in entries(call("aa"), call("bb"), ended("aa")):
        settling.take(entry)
    assert settling.acknowledgeable() == (Position(1, 10), "aa")


def reasons(results) -> list[str]:
    assert all(isinstance(result, Poison) for result in results)
    return [result.reason for result in results]


def test_what_cannot_be_used_is_named_and_its_text_kept():
    (result,) = settle(b"no json")
    assert result.reason.startswith("unreadable: not JSON")
    assert result.records == ("no json",)


def test_a_call_with_an_unknown_match_keeps_all_its_records():
    (result,) = settle(call("aa", match="perhaps"), answer("aa"), ended("aa"))
    assert result.reason == "unknown match 'perhaps'"
    assert len(result.records) == 3
    assert result.call == "aa"


def test_records_out_of_turn_are_named():
    assert reasons(settle(answer("aa"), ended("bb"))) == ["a record of a call that did not begin"] * 2
    assert reasons(settle(call("aa"), call("aa"))) == ["a second beginning of one call"]
    after_the_end = settle(call("bb"), call("aa"), ended("aa"), answer("aa"))
    assert reasons(after_the_end[1:]) == ["a record of a call that has ended"]


def test_an_id_that_could_spoil_the_note_is_refused():
    assert reasons(settle(call("two ids"), call("评价"))) == ["its id is no UUID"] * 2


def test_damaged_bytes_are_kept_as_base64():
    result = Settling(BEGIN, "").take(Damage(BEGIN, Position(1, 2), b"\xff\xfe", "the checksum does not match"))
    assert result == Poison(BEGIN, "damaged: the checksum does not match", ("base64://4=",))


def test_a_call_cancelled_before_its_answer_is_no_call() -> None:
    cancelled = EndedRecord("aa", NOON, "cancelled", "hung_up", 0).payload()
    assert settle(call("aa"), cancelled) == []
