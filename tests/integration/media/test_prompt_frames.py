"""Recordings become frames of both laws, and a row of them knows where each begins."""

import wave
from pathlib import Path

import numpy as np
import pytest

from ivr.gateway.rtp_pump.prompt_frames import PromptFrames
from ivr.media import g711
from ivr.media.errors import UnusableRecording


def write(path: Path, frames: int, *, rate: int = 8000, channels: int = 1, width: int = 2) -> Path:
    samples = (np.arange(int(frames * 160 * rate / 8000)) * 37 % 8000).astype("<i2")
    with wave.open(str(path), "wb") as recording:
        recording.setparams((channels, width, rate, 0, "NONE", "NONE"))
        recording.writeframes(samples.tobytes() * channels if width == 2 else bytes(len(samples)))
    return path


@pytest.fixture
def prompts(tmp_path):
    loaded = PromptFrames()
    loaded.load("zh-CN", "heard", write(tmp_path / "heard.wav", 3))
    loaded.load("zh-CN", "thanks", write(tmp_path / "thanks.wav", 5))
    return loaded


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_a_recording_becomes_the_encoded_frames_of_its_samples(prompts, codec):
    samples = (np.arange(480) * 37 % 8000).astype(np.int16)
    assert b"".join(prompts.playlist(codec, "zh-CN", ("heard",)).frames) == g711.encode(samples, codec)


def test_a_row_knows_which_prompt_a_frame_belongs_to(prompts):
    row = prompts.playlist("PCMA", "zh-CN", ("heard", "thanks"))
    assert len(row.frames) == 8
    assert [row.place(n) for n in (0, 2, 3, 7)] == [("heard", 0), ("heard", 40), ("thanks", 0), ("thanks", 80)]


def test_a_missing_prompt_is_named(prompts):
    with pytest.raises(UnusableRecording, match=r"no recording in zh-CN: fault"):
        prompts.playlist("PCMA", "zh-CN", ("heard", "fault"))
    with pytest.raises(UnusableRecording, match="in en: heard"):
        prompts.playlist("PCMA", "en", ("heard",))


@pytest.mark.parametrize(
    ("shape", "message"),
    [({"rate": 16000}, "16000 Hz"), ({"channels": 2}, "2 channels"), ({"width": 1}, "8 bits")],
)
def test_a_recording_of_another_shape_is_refused_with_its_shape(tmp_path, shape, message):
    with pytest.raises(UnusableRecording, match=message):
        PromptFrames().load("en", "ask", write(tmp_path / "ask.wav", 2, **shape))


def test_a_file_that_is_missing_empty_or_no_recording_is_refused(tmp_path):
    (tmp_path / "text.wav").write_text("not a recording")
    (tmp_path / "nothing.wav").touch()
    write(tmp_path / "empty.wav", 0)
    for name in ("text", "nothing", "empty", "absent"):
        with pytest.raises(UnusableRecording, match=rf"{name}\.wav"):
            PromptFrames().load("en", name, tmp_path / f"{name}.wav")
