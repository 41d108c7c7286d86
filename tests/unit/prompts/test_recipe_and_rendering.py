"""What is rendered again, and that the five grades go through one recipe."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from prompts import levels, recipe, rendering, waveform
from prompts.catalogue import Catalogue, Prompt, Recording, Source, Speaker, Tone
from prompts.rendering import Work

ASK = "请评价。非常满意，请按1。满意，请按2。基本满意，请按3。不满意，请按4。非常不满意，请按5。"
OLD = Recording(ASK, "Kokoro-82M zm_yunxi at 0.90", "", Source.RENDERED, approved=True, sha256="", recipe="")
PROMPT = Prompt("ask", True, 300, None, "", {"zh-CN": OLD})
SPEAKERS = {"zh-CN": Speaker("zm_yunxi", 0.9), "en": Speaker("af_heart", 0.88)}


def _speak(sentence: str) -> tuple[levels.Samples, int]:
    """A voice whose loudness and length differ by sentence, with silence around, as a real one's do."""
    size = 3000 + 900 * len(sentence)
    sound = np.random.default_rng(len(sentence)).normal(scale=0.005 * len(sentence), size=size)
    return np.concatenate([np.zeros(9000), sound, np.zeros(7000)]), 24000


@pytest.fixture
def rendered() -> rendering.Rendered:
    return rendering.render(Work("zh-CN", PROMPT, OLD, ""), _speak)


def test_every_grade_stands_at_the_same_level_after_the_same_pause(
    rendered: rendering.Rendered, tmp_path: Path
) -> None:
    (tmp_path / "ask.wav").write_bytes(rendered.wav)
    samples = waveform.read_wav(tmp_path / "ask.wav").samples
    marks = rendered.recording.phrases_ms
    assert len(marks) == 6
    assert {after[0] - before[1] for before, after in pairwise(marks)} <= {299, 300, 301}
    found = [levels.speech_level(samples[start * 8 : end * 8], 8000).active_dbov for start, end in marks]
    assert found == pytest.approx([-26.0] * 6, abs=0.2)
    gaps = [samples[before[1] * 8 + 8 : after[0] * 8 - 8] for before, after in pairwise(marks)]
    assert not any(gap.any() for gap in gaps)


def test_an_approval_does_not_carry_over_to_a_new_sound(rendered: rendering.Rendered) -> None:
    assert rendered.recording.approved is False


def test_rendering_twice_gives_the_same_bytes(rendered: rendering.Rendered) -> None:
    assert rendering.render(Work("zh-CN", PROMPT, OLD, ""), _speak).wav == rendered.wav


def test_a_prompt_with_a_lead_in_keeps_only_what_follows_the_pause() -> None:
    said = []

    def speak(sentence: str) -> tuple[levels.Samples, int]:
        said.append(sentence)
        before, after = (np.random.default_rng(n).normal(scale=0.1, size=24000 * n) for n in (2, 1))
        return np.concatenate([before, np.zeros(4800), after]), 24000

    made = rendering.render(Work("zh-CN", PROMPT, replace(OLD, text="满意。"), "您选择的是，"), speak)
    assert said == ["您选择的是。满意。"]
    ((start, end),) = made.recording.phrases_ms
    assert end - start == pytest.approx(1000, abs=70)


@pytest.mark.parametrize(
    ("prompt", "recording", "lead_in"),
    [
        (PROMPT, replace(OLD, text="请评价。"), ""),
        (PROMPT, replace(OLD, voice="Kokoro-82M zm_yunjian at 0.90"), ""),
        (PROMPT, replace(OLD, source=Source.RECORDED), ""),
        (replace(PROMPT, pause_ms=250), OLD, ""),
        (replace(PROMPT, tone=Tone(1000, 200)), OLD, ""),
        (PROMPT, OLD, "您选择的是，"),
    ],
)
def test_whatever_changes_the_sound_changes_the_fingerprint(prompt: Prompt, recording: Recording, lead_in: str) -> None:
    assert recipe.fingerprint(prompt, recording, lead_in) != recipe.fingerprint(PROMPT, OLD, "")


def test_what_does_not_change_the_sound_does_not() -> None:
    other = replace(OLD, approved=False, sha256="1", licence="MIT")
    assert recipe.fingerprint(PROMPT, other, "") == recipe.fingerprint(PROMPT, OLD, "")


def test_the_pause_of_a_person_s_recording_is_the_person_s_own() -> None:
    person = replace(OLD, source=Source.RECORDED)
    longer = replace(PROMPT, pause_ms=999)
    assert recipe.fingerprint(longer, person, "x") == recipe.fingerprint(PROMPT, person, "")


def test_only_what_changed_is_rendered(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, SPEAKERS, {"ask": PROMPT})
    (work,) = rendering.changed(catalogue, recipe.KOKORO)
    made = rendering.render(work, _speak)
    (tmp_path / "zh-CN").mkdir()
    path = tmp_path / "zh-CN" / "ask.wav"
    path.write_bytes(made.wav)
    current = Catalogue(tmp_path, SPEAKERS, {"ask": replace(PROMPT, recordings={"zh-CN": made.recording})})
    assert list(rendering.changed(current, recipe.KOKORO)) == []
    assert [one.prompt.id for one in rendering.changed(current, recipe.ESPEAK)] == ["ask"]
    path.write_bytes(made.wav + b"\x00")
    assert [one.prompt.id for one in rendering.changed(current, recipe.KOKORO)] == ["ask"]


def test_each_sentence_is_spoken_by_the_voice_of_its_script(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, SPEAKERS, {"ask": PROMPT})
    voice = recipe.voice_of(catalogue, PROMPT, "中文，请按1。For English, press 2.", recipe.KOKORO)
    assert voice == "Kokoro-82M zm_yunxi at 0.90, af_heart at 0.88"
    assert recipe.voice_of(catalogue, PROMPT, ASK, recipe.ESPEAK) == "espeak-ng"
