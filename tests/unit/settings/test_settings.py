"""The settings' words, and that nothing is told differently elsewhere."""

import re
import tomllib
from ipaddress import ip_network
from pathlib import Path

import click
import pytest

from settings import Settings, load

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_open_nothing_to_the_network() -> None:
    settings = Settings()
    assert settings.sip_bind[0] == settings.http_bind[0] == "127.0.0.1"
    assert all(network.is_loopback for network in settings.sip_trunks)


def test_the_environment_wins_over_the_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "pingjia.toml").write_text('node = "file"\nmax_calls = 7\n')
    monkeypatch.setenv("PINGJIA_NODE", "environment")
    settings = Settings()
    assert (settings.node, settings.max_calls) == ("environment", 7)


def test_lists_are_written_with_commas_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGJIA_SIP_TRUNKS", "10.1.0.0/16, ::1")
    monkeypatch.setenv("PINGJIA_RTP_PORTS", "30000-30100")
    settings = Settings()
    assert settings.sip_trunks == (ip_network("10.1.0.0/16"), ip_network("::1"))
    assert settings.rtp_ports == (30000, 30100)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIP_BIND", "5060"),
        ("SIP_BIND", "127.0.0.1:99999"),
        ("SIP_TRUNKS", "10.0.0.0/99"),
        ("RTP_PORTS", "29999-20000"),
        ("RTP_PORTS", "many"),
        ("MAX_CALLS", "0"),
        ("UNMATCHED", "perhaps"),
        ("NODE", "a b"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PINGJIA_{name}", value)
    with pytest.raises(click.UsageError) as caught:
        load()
    assert name in caught.value.message
    assert "\n" not in caught.value.message


def test_an_unknown_line_in_the_file_is_named(elsewhere: Path) -> None:
    (elsewhere / "pingjia.toml").write_text('sip_bond = "127.0.0.1:5060"\n')
    with pytest.raises(click.UsageError, match=r"SIP_BOND"):
        load()


def test_a_file_that_is_no_toml_is_one_line(elsewhere: Path) -> None:
    (elsewhere / "pingjia.toml").write_text("sip_bind = 127.0.0.1\n")
    with pytest.raises(click.UsageError, match=r"pingjia\.toml"):
        load()


def test_the_example_file_explains_every_setting_and_can_be_read(elsewhere: Path) -> None:
    example = (ROOT / "deploy" / "pingjia.example.toml").read_text()
    named = set(re.findall(r"^# (\w+) = ", example, re.MULTILINE))
    assert named == set(Settings.model_fields)
    enabled = re.sub(r"^# (\w+ = )", r"\1", example, flags=re.MULTILINE)
    tomllib.loads(enabled)
    (elsewhere / "pingjia.toml").write_text(enabled)
    assert Settings().max_calls == Settings.model_fields["max_calls"].default


def test_the_operations_manual_names_every_setting() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text()
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", manual, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
