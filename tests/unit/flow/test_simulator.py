"""The simulated caller does what the script says, when it says it."""

from collections.abc import Mapping

import pytest

from ivr.flow.conversation import Happening, lines
from ivr.flow.events import HungUp, KeyPressed, PromptFailed
from ivr.flow.model import Flow
from ivr.flow.script import Deed, Press, ScriptMistake, Speak, parse
from ivr.flow.simulator import Simulation, play

Durations = Mapping[tuple[str, str], float]


def played(flow: Flow, durations: Durations, script: str) -> list[Happening]:
    return list(play(flow, durations, parse(script), None))


def test_a_script_is_read_token_by_token() -> None:
    assert parse("2 !* -- = h x f r r12 A") == (
        Press("2", False),
        Press("*", True),
        Deed.SILENCE,
        Deed.SILENCE,
        Deed.AGAIN,
        Deed.HANG_UP,
        Deed.PROMPT_FAILS,
        Deed.JOURNAL_FAILS,
        Speak(5.0),
        Speak(12.0),
        Press("A", False),
    )
    assert parse("") == parse("  ") == ()


@pytest.mark.parametrize(("script", "place"), [("2y", 2), ("!", 1), ("!h", 1), ("a", 1), ("1 ?", 3)])
def test_a_script_that_cannot_be_read_is_told_where(script: str, place: int) -> None:
    with pytest.raises(ScriptMistake, match=f"from character {place} on"):
        parse(script)


def test_a_patient_key_waits_for_the_prompts_end_and_an_impatient_one_does_not(
    shipped: Flow, durations: Durations
) -> None:
    patient, impatient = ([one.at_seconds for one in played(shipped, durations, script)
                           if isinstance(one.event, KeyPressed)] for script in ("2", "!2"))  # fmt: skip
    assert patient == [pytest.approx(13.8)]
    assert impatient == [pytest.approx(0.8)]


def test_time_never_runs_backwards_and_ends(shipped: Flow, durations: Durations) -> None:
    for script in ("", "2", "9!9!9", "!0!0-3*4*5", "x-x-x", "f1"):
        moments = [one.at_seconds for one in played(shipped, durations, script)]
        assert moments == sorted(moments)
        assert moments[-1] < shipped.maximum_seconds


def test_a_call_that_is_over_takes_no_more(shipped: Flow, durations: Durations) -> None:
    told = played(shipped, durations, "h 2 h x - r")
    assert isinstance(told[-1].event, HungUp)
    assert len(told) == 2


def test_the_service_waits_for_the_caller_only_in_silence(shipped: Flow, durations: Durations) -> None:
    simulation = Simulation(shipped, durations)
    list(simulation.answer(None))
    assert not simulation.waits
    first, *_ = lines(simulation.until_waiting())
    assert first.endswith("prompt 1 finished")
    assert simulation.waits


def test_a_missing_recording_fails_at_once_and_the_call_goes_on(shipped: Flow, durations: Durations) -> None:
    known = {key: seconds for key, seconds in durations.items() if key[1] != "ask"}
    told = list(play(shipped, known, parse("3"), None))
    assert isinstance(told[1].event, PromptFailed)
    assert told[-1].actions[-1].outcome == "rated"  # type: ignore[union-attr]
