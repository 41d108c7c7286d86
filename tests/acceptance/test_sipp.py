"""SIPp's calls, by scenarios of our own and by its built-in one: a stack nobody here wrote."""

from pathlib import Path

import pytest
from outside.service import Service
from outside.sipp import CAPTURES, scenario, sipp


@pytest.mark.parametrize(
    ("name", "grade"),
    [
        ("key", "satisfied"),
        ("info", "dissatisfied"),
        ("hold", "basically_satisfied"),
        ("late_offer", "very_dissatisfied"),
    ],
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_scenario_ends_in_its_grade(service: Service, tmp_path: Path, name: str, grade: str, transport: str) -> None:
    calls = sipp(service, tmp_path, *scenario(name), transport=transport)
    row = service.evaluation(f"{calls}-1")
    assert row["grade"] == grade


def test_a_key_over_ipv6(confirming: Service, tmp_path: Path) -> None:
    calls = sipp(confirming, tmp_path, *scenario("key"))
    assert confirming.evaluation(f"{calls}-1")["grade"] == "satisfied"


def test_options_as_a_proxy_sends_them(service: Service, tmp_path: Path) -> None:
    sipp(service, tmp_path, *scenario("options"))


@pytest.mark.parametrize("milliseconds", [0, 300, 1500])
def test_hanging_up_at_any_moment_has_one_outcome(service: Service, tmp_path: Path, milliseconds: int) -> None:
    calls = sipp(service, tmp_path, *scenario("hang_up"), "-d", str(milliseconds))
    row = service.call(f"{calls}-1")
    assert (row["outcome"], row["ended_by"]) == ("hung_up", "caller")


def test_twenty_calls_at_once_are_twenty_grades(service: Service, tmp_path: Path) -> None:
    calls = sipp(service, tmp_path, *scenario("key"), "-r", "40", calls=20)
    rows = [service.evaluation(f"{calls}-{number}") for number in range(1, 21)]
    assert {row["grade"] for row in rows} == {"satisfied"}
    assert len({row["id"] for row in rows}) == 20


def test_sipps_own_caller_gets_through_the_real_survey(survey: Service, tmp_path: Path) -> None:
    """`-sn uac_pcap` as it comes: it speaks for eight seconds, presses 1 and hangs up."""
    (tmp_path / "pcap").symlink_to(CAPTURES)
    calls = sipp(survey, tmp_path, "-sn", "uac_pcap")
    row = survey.call(f"{calls}-1")
    assert (row["outcome"], row["ended_by"]) == ("rated", "caller")
    assert survey.evaluation(f"{calls}-1")["grade"] == "very_satisfied"
