"""What is wrong at start-up is said in clear sentences, with exit 2, and nothing is left running."""

import shutil
import socket
import sqlite3
from collections.abc import Callable

import pytest
from outside import tones
from outside.service import Service

Prepare = Callable[..., Service]


@pytest.fixture
def prepare(launch) -> Prepare:
    """Services that the test tries to start."""
    return launch.prepare


def refusal(service: Service) -> str:
    """What it says when it refuses; it must be for a person, end with 2 and leave nothing running."""
    code, said = service.refuse_to_start()
    assert code == 2, said
    assert "Traceback" not in said, said
    assert service.processes() == []
    return said


def the_line(said: str) -> str:
    """The one line that tells the mistake."""
    lines = [line for line in said.splitlines() if line.startswith("Error: ") and "nothing is left running" not in line]
    assert len(lines) == 1, said
    return lines[0]


@pytest.mark.parametrize("command", ["ivr", "serve"])
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["UDP", "TCP"])
def test_a_sip_port_in_use(prepare: Prepare, command: str, kind: socket.SocketKind) -> None:
    service = prepare(command)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((service.host, service.port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        said = the_line(refusal(service))
    assert service.address in said
    assert "in use" in said


def test_a_web_port_in_use(prepare: Prepare) -> None:
    service = prepare()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", service.http))
        taken.listen()
        said = the_line(refusal(service))
    assert str(service.http) in said
    assert "in use" in said


def test_an_address_that_is_not_ours(prepare: Prepare) -> None:
    service = prepare("ivr", sip_bind="192.0.2.250:5060")
    assert "192.0.2.250:5060" in the_line(refusal(service))


@pytest.mark.parametrize("command", ["ivr", "serve"])
def test_a_flow_with_mistakes_shows_them_all_with_their_places(prepare: Prepare, command: str) -> None:
    service = prepare(command)
    flow = service.folder / "broken.yaml"
    flow.write_text(
        "flow: broken\n"
        'version: "1"\n'
        "languages: [zh-CN]\n"
        "rates: grade\n"
        "maximum_seconds: none\n"
        "fault: fault\n"
        "start: nowhere\n"
        "nodes:\n"
        "  grade:\n"
        "    question: grade\n"
        '    keys: {"1": satisfied, x: bad}\n'
        "    tries: []\n"
        "    noinput: thanks\n"
        "    nomatch: {say: wrong_key, tries: 3, next: thanks}\n"
        "    next: thanx\n"
        "  thanks: {say: thanks, end: rated}\n"
    )
    service.settings["flow"] = flow
    said = refusal(service)
    for line in (5, 7, 11, 12, 15):
        assert f"{flow}:{line}:" in said, said
    assert "did you mean" in said.lower(), said


def test_a_flow_that_is_not_there(prepare: Prepare) -> None:
    assert "absent.yaml" in the_line(refusal(prepare("ivr", flow="absent.yaml")))


def test_a_flow_that_is_no_text(prepare: Prepare) -> None:
    service = prepare("ivr")
    flow = service.folder / "binary.yaml"
    flow.write_bytes(b"\xff\xfe\x00")
    service.settings["flow"] = flow
    assert "UTF-8" in the_line(refusal(service))


def test_a_prompt_that_is_missing_is_named(prepare: Prepare) -> None:
    service = prepare("ivr")
    prompts = tones.make(service.folder / "holes")
    (prompts / "en" / "thanks.wav").unlink()
    service.settings["prompts"] = prompts
    assert "en/thanks.wav" in the_line(refusal(service))


def test_a_prompt_that_no_catalogue_names(prepare: Prepare) -> None:
    service = prepare("ivr")
    prompts = tones.make(service.folder / "holes")
    catalogue = prompts / "catalogue.yaml"
    catalogue.write_text(catalogue.read_text().replace("fault:", "default:"))
    service.settings["prompts"] = prompts
    assert "fault" in the_line(refusal(service))


def test_a_prompts_folder_that_is_not_there(prepare: Prepare) -> None:
    assert "nowhere" in the_line(refusal(prepare("ivr", prompts="nowhere")))


def test_a_prompt_that_is_no_recording(prepare: Prepare) -> None:
    service = prepare("ivr")
    prompts = tones.make(service.folder / "holes")
    (prompts / "zh-CN" / "ask.wav").write_text("this is no sound")
    service.settings["prompts"] = prompts
    assert "zh-CN/ask.wav" in the_line(refusal(service))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sip_bind", "5060"),
        ("sip_bind", "127.0.0.1:99999"),
        ("sip_trunks", "everybody"),
        ("rtp_ports", "20000"),
        ("rtp_ports", "200-300"),
        ("rtp_ports", "many"),
        ("max_calls", "0"),
        ("unmatched", "perhaps"),
        ("repeat", "often"),
        ("node", "a name with spaces"),
        ("journal_max_mib", "-1"),
        ("http_bind", "nowhere"),
        ("drain_seconds", "soon"),
        ("media_address", "not an address"),
        ("database_url", "mysql://localhost/x"),
        ("database_url", "this is no URL"),
    ],
)
def test_a_wrong_setting_is_named(prepare: Prepare, name: str, value: str) -> None:
    said = the_line(refusal(prepare("serve", **{name: value})))
    assert name.upper() in said


@pytest.mark.parametrize("command", ["ivr", "serve"])
def test_a_second_one_on_the_same_data(launch, prepare: Prepare, command: str) -> None:
    first = launch(command)
    second = prepare(command, data_dir=first.data)
    code, said = second.refuse_to_start()
    assert code == 2, said
    assert "Traceback" not in said
    assert f"{first.data / 'journal' / 'node-1'} is already being written by process" in said
    assert first.running
    assert len(first.processes("ivr")) == 1


def test_a_secret_open_to_others(prepare: Prepare) -> None:
    service = prepare("ivr")
    service.data.mkdir()
    key = service.data / "secret.key"
    key.write_text("00" * 32)
    key.chmod(0o644)
    assert "chmod 600" in the_line(refusal(service))


def test_a_secret_that_is_none(prepare: Prepare) -> None:
    service = prepare("serve")
    service.data.mkdir()
    key = service.data / "secret.key"
    key.write_text("secret")
    key.chmod(0o600)
    assert "secret.key" in the_line(refusal(service))


def test_a_database_of_a_newer_program(prepare: Prepare) -> None:
    service = prepare("serve")
    service.run("db", "upgrade")
    with sqlite3.connect(service.data / "pingjia.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    said = the_line(refusal(service))
    assert "9999" in said
    assert "newer" in said


def test_a_database_that_is_no_database(prepare: Prepare) -> None:
    service = prepare("serve")
    service.data.mkdir()
    (service.data / "pingjia.db").write_bytes(b"this is no database at all, and long enough to be looked at" * 10)
    assert "pingjia.db" in the_line(refusal(service))


def test_data_that_cannot_be_written(prepare: Prepare) -> None:
    service = prepare("serve")
    shutil.rmtree(service.data, ignore_errors=True)
    service.data.write_text("a file where a folder should be")
    assert str(service.data) in the_line(refusal(service))
