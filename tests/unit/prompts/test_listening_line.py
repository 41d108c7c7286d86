"""The line that prompts are listened to over, and how what was misheard is summed up."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prompts import listening, waveform
from prompts.catalogue import Catalogue, Prompt, Recording, Source
from prompts.listening import Round
from prompts.listening_figures import Figure

GRADES = [f"grade_{grade}" for grade in listening.GRADES]
TEXTS = {"heard": "You chose:", "change": "To change it, press the star key.", "thanks": "Thank you."}
TEXTS |= {name: name.replace("grade_", "").replace("_", " ") for name in GRADES}


def _recording(text: str) -> Recording:
    return Recording(text, "", "", Source.RENDERED, approved=False, sha256="", recipe="")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """English prompts of half a second each, a tone among them."""
    (tmp_path / "en").mkdir()
    prompts = {}
    for name, text in [*TEXTS.items(), ("beep", "(tone)")]:
        tone = None if name != "beep" else object()
        prompts[name] = Prompt(name, False, 0, tone, "", {"en": _recording(text)})  # type: ignore[arg-type]
        (tmp_path / "en" / f"{name}.wav").write_bytes(waveform.wav_bytes(np.full(4000, 0.1)))
    return Catalogue(tmp_path, {}, prompts)


def test_a_clean_line_changes_no_more_than_a_law_does() -> None:
    sound = 0.3 * np.sin(np.arange(16000) / 7)
    heard = listening.over_the_line(sound, None)
    assert 10 * np.log10(np.mean(sound**2) / np.mean((heard - sound) ** 2)) > 35


def test_one_packet_in_twenty_is_silence_and_the_same_ones_every_time() -> None:
    sound = np.full(160 * 5000, 0.5)
    lost = np.abs(listening.over_the_line(sound, 3)).reshape(-1, 160).max(axis=1) < 0.001
    assert 0.04 < lost.mean() < 0.06
    assert np.array_equal(listening.over_the_line(sound, 3), listening.over_the_line(sound, 3))
    assert not np.array_equal(listening.over_the_line(sound, 3), listening.over_the_line(sound, 4))
    assert not np.array_equal(listening.over_the_line(sound, 3, "ask"), listening.over_the_line(sound, 3, "thanks"))


def test_only_what_changed_is_heard_again_with_all_it_is_heard_together_with(catalogue: Catalogue) -> None:
    ear = {"model": "an ear of the test's own"}
    every = listening.rounds(catalogue)
    known = listening.figures(catalogue, (listening.listen(catalogue, one, lambda *_: "") for one in every), ear)
    noted = _noting(catalogue, known.prompts["en"])
    assert listening.outdated(noted, None, ear) == every
    assert listening.outdated(noted, known, {"model": "another"}) == every
    assert listening.outdated(noted, known, ear) == []
    other = _noting(catalogue, known.prompts["en"] | {"thanks": replace(known.prompts["en"]["thanks"], sha256="0")})
    assert {one.ids for one in listening.outdated(other, known, ear)} == {("thanks",)}
    grade = {"grade_satisfied": replace(known.prompts["en"]["grade_satisfied"], sha256="0")}
    again = listening.outdated(_noting(catalogue, known.prompts["en"] | grade), known, ear)
    assert {one.ids for one in again} == {("heard", name, "change") for name in GRADES}


def _noting(catalogue: Catalogue, figures: Mapping[str, Figure]) -> Catalogue:
    """The same catalogue, its entries noting the hashes of these figures."""
    prompts = {
        name: replace(prompt, recordings={"en": replace(prompt.recordings["en"], sha256=figures[name].sha256)})
        for name, prompt in catalogue.prompts.items()
        if name in figures
    }
    return replace(catalogue, prompts=prompts)


def test_each_grade_is_heard_between_what_precedes_and_follows_it_and_a_tone_never(catalogue: Catalogue) -> None:
    assert listening.hearings(catalogue, "en") == [("thanks",), *(("heard", name, "change") for name in GRADES)]


def test_every_sequence_is_heard_once_clean_and_once_for_each_seed(catalogue: Catalogue) -> None:
    seeds = [one.seed for one in listening.rounds(catalogue) if one.ids == ("thanks",)]
    assert seeds == [None, *listening.SEEDS]


def test_an_error_counts_against_the_prompt_it_stands_in(catalogue: Catalogue) -> None:
    ids = ("heard", "grade_satisfied", "change")
    heard = listening.listen(
        catalogue, Round("en", ids, 1), lambda _, __: "You chose settled to change it press star key"
    )
    assert [(one.id, one.units, one.errors) for one in heard] == [
        ("heard", 2, 0),
        ("grade_satisfied", 1, 1),
        ("change", 7, 1),
    ]


def test_a_prompt_heard_five_times_counts_once_in_the_whole(catalogue: Catalogue) -> None:
    def hear(_: object, __: str) -> str:
        return "you chose satisfied to change it press the hash key"

    rounds = [one for one in listening.rounds(catalogue) if "grade_satisfied" in one.ids]
    figures = listening.figures(
        catalogue, (listening.listen(catalogue, one, hear) for one in rounds), {"model": "an ear of the test's own"}
    )
    assert figures.method["recogniser"] == {"model": "an ear of the test's own"}
    found = figures.prompts["en"]
    assert (found["change"].lossy, found["heard"].lossy) == (pytest.approx(1 / 7), 0.0)
    assert figures.overall("en").lossy == pytest.approx(1 / 10)
    assert found["change"].understood == ("you chose satisfied to change it press the hash key",)
