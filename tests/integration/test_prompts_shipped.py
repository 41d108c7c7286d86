"""The recordings as shipped, and what `prompts check` and `prompts import` say of damaged or foreign ones."""

import json
import shutil
import subprocess
import wave
from importlib.util import find_spec
from pathlib import Path

import click.testing
import numpy as np
import pytest
import yaml

from prompts import commands, levels, waveform
from prompts.catalogue import Catalogue
from prompts.listening_figures import LIMIT, Figures

SHIPPED = Path(__file__).resolve().parents[2] / "prompts"
GRADES = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
NEEDED = [
    *("ask", "ask_again", "ask_slowly", "ask_short", "wrong_key", "heard", "change", "language_choice"),
    *("solved", "solved_again", "comment", "call_back", "call_back_again", "thanks"),
    *("silent", "fault", "goodbye", "beep"),
    *(f"grade_{grade}" for grade in GRADES),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped prompts to damage."""
    copy = tmp_path / "prompts"
    shutil.copytree(SHIPPED, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def _run(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(commands.prompts, list(arguments))


def _check(folder: Path) -> tuple[int, dict[str, list[str]]]:
    """Exit code and findings by `language/id`."""
    done = _run("check", "--folder", str(folder), "--format", "json")
    tree = json.loads(done.output)
    found = {f"{one['language']}/{one['id']}": one["findings"] for one in tree["recordings"] if one["findings"]}
    for one in tree["listening"]:
        found.setdefault(f"{one['language']}/{one['id']}", []).append(one["finding"])
    return done.exit_code, found


def _tone(seconds: float, rate: int) -> bytes:
    at = np.arange(round(seconds * rate)) / rate
    sound = 0.2 * np.sin(2 * np.pi * 440 * at) * (1 + np.sin(2 * np.pi * 3 * at))
    return (32767 * sound).astype("<i2").tobytes()


def _write(path: Path, data: bytes, rate: int = 8000, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data)


def test_every_prompt_a_flow_may_use_is_there_in_both_languages() -> None:
    durations = Catalogue.load(SHIPPED).durations()
    assert [key for name in NEEDED for key in [("zh-CN", name), ("en", name)] if not durations.get(key)] == []


def test_the_shipped_prompts_have_no_findings() -> None:
    assert _check(SHIPPED) == (0, {})


def test_the_table_says_what_is_measured_and_what_is_not_approved() -> None:
    done = _run("check", "--folder", str(SHIPPED))
    assert done.exit_code == 0, done.output
    assert "no findings" in done.output
    assert "not approved by a native speaker" in done.output


def test_the_committed_figures_are_of_the_committed_files_and_within_the_limit() -> None:
    catalogue, figures = Catalogue.load(SHIPPED), Figures.load(SHIPPED)
    for language in catalogue.languages:
        for prompt in catalogue.prompts.values():
            if prompt.tone is None:
                assert figures.prompts[language][prompt.id].sha256 == prompt.recordings[language].sha256
    assert figures.overall("zh-CN").lossy <= LIMIT
    assert figures.method["recogniser"]["sha256"]  # type: ignore[index]


def test_no_prompt_claims_an_approval_nobody_gave() -> None:
    catalogue = Catalogue.load(SHIPPED)
    rendered = [r for p in catalogue.prompts.values() for r in p.recordings.values() if r.source != "recorded"]
    assert not any(recording.approved for recording in rendered)


def test_a_cut_off_file_is_reported(folder: Path) -> None:
    path = folder / "zh-CN" / "thanks.wav"
    path.write_bytes(path.read_bytes()[:-1000])
    code, found = _check(folder)
    assert code == 1
    assert any("cut off" in finding for finding in found["zh-CN/thanks"])


def test_a_file_that_is_no_wav_is_reported(folder: Path) -> None:
    (folder / "en" / "ask.wav").write_bytes(b"\x00" * 100)
    assert any("not a readable WAV" in finding for finding in _check(folder)[1]["en/ask"])


def test_a_missing_file_is_reported_and_has_no_duration(folder: Path) -> None:
    (folder / "en" / "ask.wav").unlink()
    assert _check(folder) == (1, {"en/ask": ["is missing"]})
    assert ("en", "ask") not in Catalogue.load(folder).durations()


def test_a_wrong_rate_and_a_second_channel_are_reported(folder: Path) -> None:
    _write(folder / "en" / "goodbye.wav", _tone(1.0, 16000) * 2, rate=16000, channels=2)
    found = _check(folder)[1]["en/goodbye"]
    assert "rate 16000 Hz, not 8000 Hz" in found
    assert "channels 2, not 1" in found


def test_a_file_other_than_the_noted_one_is_reported(folder: Path) -> None:
    shutil.copy(folder / "en" / "thanks.wav", folder / "en" / "goodbye.wav")
    assert _check(folder)[1]["en/goodbye"] == ["is not the file the catalogue notes (sha256 differs)"]


@pytest.mark.parametrize(
    ("gain", "what"), [(0.25, "level -3"), (3.0, "level -1"), (30.0, "is clipped"), (30.0, "peaks at")]
)
def test_too_soft_too_loud_and_clipped_are_reported(folder: Path, gain: float, what: str) -> None:
    path = folder / "zh-CN" / "thanks.wav"
    path.write_bytes(waveform.wav_bytes(waveform.read_wav(path).samples * gain))
    assert any(what in finding for finding in _check(folder)[1]["zh-CN/thanks"])


def test_long_silence_at_the_ends_is_reported(folder: Path) -> None:
    path = folder / "zh-CN" / "thanks.wav"
    samples = waveform.read_wav(path).samples
    path.write_bytes(waveform.wav_bytes(np.concatenate([np.zeros(4000), samples, np.zeros(8000)])))
    found = " ".join(_check(folder)[1]["zh-CN/thanks"])
    assert "of silence at its start" in found
    assert "of silence at its end" in found


def test_a_changed_text_makes_the_recording_and_steering_wording_stands_out(folder: Path) -> None:
    _edit(folder, lambda prompts: prompts["wrong_key"]["zh-CN"].update(text="希望您按1。"))
    found = " ".join(_check(folder)[1]["zh-CN/wrong_key"])
    assert "is stale" in found
    assert "pleads" in found


def test_one_grade_said_louder_or_after_a_longer_pause_is_reported(folder: Path) -> None:
    path = folder / "zh-CN" / "ask.wav"
    marks = Catalogue.load(SHIPPED).recording("zh-CN", "ask").phrases_ms
    samples = waveform.read_wav(path).samples
    samples[marks[1][0] * 8 : marks[1][1] * 8] *= 1.5
    path.write_bytes(waveform.wav_bytes(samples))
    _edit(folder, lambda prompts: prompts["ask_again"]["zh-CN"]["phrases_ms"][2].__setitem__(0, 1))
    found = _check(folder)[1]
    assert any("dB apart" in finding for finding in found["zh-CN/ask"])
    assert any("pauses of" in finding for finding in found["zh-CN/ask_again"])


def test_figures_of_another_sound_are_stale_and_absent_ones_are_named(folder: Path) -> None:
    _edit(folder, lambda prompts: prompts["thanks"]["en"].update(sha256="0" * 64))
    assert any("since it was listened to" in finding for finding in _check(folder)[1]["en/thanks"])
    (folder / "listening.json").unlink()
    assert any("cannot be read" in finding for finding in _check(folder)[1]["/"])


def test_figures_over_the_limit_are_a_finding(folder: Path) -> None:
    path = folder / "listening.json"
    tree = json.loads(path.read_text())
    for figure in tree["languages"]["zh-CN"]["prompts"].values():
        figure["lossy"] = 0.05
    path.write_text(json.dumps(tree))
    assert _check(folder) == (1, {"zh-CN/": ["5.0% misheard at 5 % packet loss, over the limit of 2%"]})


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg"])
def test_a_recording_of_any_format_becomes_a_prompt_of_the_line(folder: Path, tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "source.wav"
    _write(source, _tone(2.0, 44100), rate=44100)
    if suffix != "wav":
        if shutil.which("ffmpeg") is None:
            pytest.skip("ffmpeg is not installed")
        source = tmp_path / f"source.{suffix}"
        subprocess.run(["ffmpeg", "-loglevel", "error", "-i", tmp_path / "source.wav", source], check=True)
    done = _run("import", "thanks", "zh-CN", str(source), "--folder", str(folder), "--voice", "小王", "--approved")
    assert done.exit_code == 0, done.output
    catalogue = Catalogue.load(folder)
    recording = catalogue.recording("zh-CN", "thanks")
    assert (recording.source, recording.voice, recording.approved) == ("recorded", "小王", True)
    wav = waveform.read_wav(catalogue.path("zh-CN", "thanks"))
    assert (wav.rate, wav.channels, wav.bits) == (8000, 1, 16)
    assert levels.speech_level(wav.samples, 8000).active_dbov == pytest.approx(-26.0, abs=0.2)
    assert wav.samples.size / 8000 == pytest.approx(2.1, abs=0.25)
    assert list(_check(folder)[1].values()) == [["has changed since it was listened to: run `prompts check --listen`"]]
    assert (folder / "catalogue.yaml").read_text().startswith((SHIPPED / "catalogue.yaml").read_text()[:200])


def test_a_person_s_recording_is_never_rendered_over(folder: Path, tmp_path: Path) -> None:
    _write(tmp_path / "person.wav", _tone(1.0, 8000))
    assert _run("import", "goodbye", "en", str(tmp_path / "person.wav"), "--folder", str(folder)).exit_code == 0
    spoken = (folder / "en" / "goodbye.wav").read_bytes()
    _edit(folder, lambda prompts: prompts["goodbye"]["en"].update(text="Bye."))
    _edit(folder, lambda prompts: [prompts.pop(name) for name in list(prompts) if name not in {"goodbye", "beep"}])
    _edit(folder, lambda prompts: prompts["goodbye"].pop("zh-CN"))
    done = _run("render", "--engine", "espeak-ng", "--folder", str(folder))
    assert "nothing changed" in done.output
    assert (folder / "en" / "goodbye.wav").read_bytes() == spoken
    assert any("is stale" in finding for finding in _check(folder)[1]["en/goodbye"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nobody", "zh-CN", "x.wav"), "there is no prompt 'nobody'"),
        (("thanks", "fr", "x.wav"), "is not in fr, only in zh-CN, en"),
        (("thanks", "en", "x.wav"), "no such file"),
    ],
)
def test_a_wrong_import_is_one_clear_line(folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = _run("import", *arguments, "--folder", str(folder))
    assert done.exit_code == 2
    assert sentence in done.output


def test_a_file_that_holds_no_sound_is_refused_and_the_old_prompt_stays(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("not a sound at all")
    before = (folder / "en" / "thanks.wav").read_bytes()
    done = _run("import", "thanks", "en", str(tmp_path / "letter.wav"), "--folder", str(folder))
    assert done.exit_code == 2
    assert "holds no sound" in done.output
    assert (folder / "en" / "thanks.wav").read_bytes() == before


def test_without_ffmpeg_only_wav_can_be_imported(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "speech.mp3").write_bytes(b"ID3")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = _run("import", "thanks", "en", str(tmp_path / "speech.mp3"), "--folder", str(folder))
    assert done.exit_code == 2
    assert "needs ffmpeg" in done.output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("prompts: [", "not YAML"),
        ("prompts: {ask: {after: heard, en: {text: x}}}", "is after 'heard', which is not there"),
        ("voices: {}", "has no `prompts:`"),
        ("prompts: {ask: {en: {}}}", "'text' is missing"),
    ],
)
def test_a_catalogue_with_a_mistake_is_one_clear_line(folder: Path, content: str, sentence: str) -> None:
    (folder / "catalogue.yaml").write_text(content)
    done = _run("check", "--folder", str(folder))
    assert done.exit_code == 2
    assert sentence in done.output


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_fallback_voice_renders_only_what_changed_and_the_catalogue_says_so(folder: Path) -> None:
    _edit(folder, lambda prompts: [prompts.pop(name) for name in list(prompts) if name not in {"goodbye", "beep"}])
    first = _run("render", "--engine", "espeak-ng", "--folder", str(folder))
    assert first.exit_code == 0, first.output
    assert "rendered 2 of 4" in first.output
    catalogue = Catalogue.load(folder)
    assert {catalogue.recording(language, "goodbye").voice for language in ("zh-CN", "en")} == {"espeak-ng"}
    assert "nothing changed" in _run("render", "--engine", "espeak-ng", "--folder", str(folder)).output
    code, found = _check(folder)
    assert code == 1
    assert all("listened" in finding for findings in found.values() for finding in findings), found


def _edit(folder: Path, change) -> None:  # type: ignore[no-untyped-def]
    path = folder / "catalogue.yaml"
    text = path.read_text(encoding="utf-8")
    opening = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    tree = yaml.safe_load(text)
    change(tree["prompts"])
    path.write_text(opening + yaml.safe_dump(tree, allow_unicode=True, sort_keys=False), encoding="utf-8")


@pytest.mark.skipif(find_spec("onnxruntime") is not None, reason="the voice packages are installed here")
@pytest.mark.parametrize("command", [("render",), ("check", "--listen")])
def test_without_the_voice_packages_one_line_says_how_to_get_them(folder: Path, command: tuple[str, ...]) -> None:
    _edit(folder, lambda prompts: prompts["goodbye"]["en"].update(text="Bye."))
    done = _run(*command, "--folder", str(folder))
    assert done.exit_code == 2
    assert "`make voices` installs it" in done.output
