"""The stack nobody here wrote calls the service: pyVoIP behind `app.py call`, from ring to row."""

import re
import signal
import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from outside.service import APP, Service


def dial(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    return service.run_anyhow("call", *arguments)


def call_id(done: subprocess.CompletedProcess[str]) -> str:
    return re.search(r"Call-ID (\S+)", done.stdout)[1]


def test_a_key_pressed_by_pyvoip_becomes_a_grade(service: Service) -> None:
    done = dial(service, "--key", "2", "--after", "0.5")
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("dialled", "answered, PCMA", "hearing a voice", "pressed 2", "hung up by the service"):
        assert step in done.stdout
    assert service.evaluation(call_id(done))["grade"] == "satisfied"
    assert service.call(call_id(done))["ended_by"] == "service"


def test_the_voice_stops_at_once_for_a_key(survey: Service) -> None:
    done = dial(survey, "--key", "1", "--after", "2.1", "--hang-up-after", "3.5")
    stopped = re.search(r"voice stopped within (\d+) ms", done.stdout)
    assert stopped, done.stdout
    assert int(stopped[1]) <= 60
    assert survey.evaluation(call_id(done))["grade"] == "very_satisfied"


def test_what_it_heard_is_the_voice_and_not_noise(survey: Service, tmp_path) -> None:
    """A-law read as µ-law is loud and clipped: compare with the recording itself."""
    heard = tmp_path / "heard.wav"
    done = dial(survey, "--hang-up-after", "4", "--save", str(heard))
    assert done.returncode == 0, done.stdout + done.stderr
    recording, took = samples(APP.parent / "prompts" / "zh-CN" / "ask.wav"), samples(heard)
    length = 8000 * 3
    correlation = np.correlate(took.astype(float), recording[:length].astype(float), "valid")
    best = int(np.argmax(correlation))
    aligned = took[best : best + length].astype(float)
    assert np.corrcoef(aligned, recording[:length])[0, 1] > 0.99


def samples(path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_caller_who_hangs_up_is_recorded_as_such(service: Service) -> None:
    done = dial(service, "--hang-up-after", "0.4")
    assert done.returncode == 0
    assert "did not answer our BYE" not in done.stdout
    row = service.call(call_id(done))
    assert (row["outcome"], row["ended_by"]) == ("hung_up", "caller")
    assert service.evaluations_of(call_id(done)) == []


def test_a_silent_caller_is_asked_again_and_let_go(service: Service) -> None:
    done = dial(service, "--silent")
    assert done.returncode == 0
    assert service.call(call_id(done))["outcome"] == "silent"


def test_a_wrong_key_and_then_a_right_one(service: Service) -> None:
    done = dial(service, "--key", "9", "--key", "4", "--after", "0.8")
    assert service.evaluation(call_id(done))["grade"] == "dissatisfied"


def test_a_token_in_the_user_part_binds_the_call_to_its_contact(service: Service) -> None:
    contact = service.contact()
    done = dial(service, "--token", contact["token"], "--key", "5", "--after", "0.5")
    row = service.evaluation(call_id(done))
    assert (row["match"], row["contact"], row["grade"]) == ("token", contact["id"], "very_dissatisfied")


def test_ten_at_once_come_out_as_ten(service: Service) -> None:
    keys = "1234512345"
    with ThreadPoolExecutor(len(keys)) as pool:
        done = list(pool.map(lambda key: dial(service, "--key", key, "--after", "1"), keys))
    assert [each.returncode for each in done] == [0] * len(keys)
    assert [service.evaluation(call_id(each))["key"] for each in done] == list(keys)


def test_its_sound_is_saved_under_the_data_folder_by_default(service: Service) -> None:
    done = dial(service, "--hang-up-after", "0.5")
    path = re.search(r"saved in (.*\.wav)", done.stdout.replace("\n", ""))[1]
    assert path.startswith(str(service.data))
    assert len(samples(path)) > 1000


def test_interrupted_it_hangs_up_first(service: Service) -> None:
    with subprocess.Popen(
        [sys.executable, APP, "call"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=service.folder,
        env=service.environment,
        # whoever runs the tests in the background has had Ctrl-C ignored for all its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as caller:
        said = ""
        while "hearing a voice" not in said:
            line = caller.stdout.readline()
            assert line, said
            said += line
        caller.send_signal(signal.SIGINT)
        caller.wait(20)
    dialled = re.search(r"Call-ID (\S+)", said)[1]
    assert service.call(dialled)["ended_by"] == "caller"


@pytest.mark.parametrize("unmatched", ["refuse"])
def test_a_call_without_a_token_is_refused_where_the_setting_says_so(launch, unmatched: str) -> None:
    strict = launch(unmatched=unmatched)
    done = dial(strict, "--key", "1")
    assert done.returncode == 1
    assert "refused: 403" in done.stdout
