"""SIGTERM: no new calls, the running ones finish within a limit, nothing is lost, exit 0."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from outside.phone import Phone
from outside.service import APP, STOP_SECONDS, Service
from outside.sip_client import Wire, request
from outside.waiting import until

PickUp = Callable[..., Phone]


def options(service: Service) -> int:
    """The status a proxy's probe gets; 0 for none."""
    wire = Wire(service.host, service.port)
    try:
        answer = wire.ask(request(wire, "OPTIONS"), within=1)
    finally:
        wire.close()
    return 0 if answer is None else answer.status


@pytest.mark.parametrize("command", ["serve", "ivr"])
def test_the_running_call_finishes_and_new_ones_are_sent_elsewhere(
    launch: Callable[..., Service], pick_up: PickUp, command: str
) -> None:
    service = launch(command)
    phone = pick_up(service)
    call_id = phone.dial()
    phone.asked()
    assert service.process is not None
    service.process.terminate()
    until(lambda: options(service) == 503, "503 to a probe")
    refused = pick_up(service).refused()
    assert refused.status == 503
    assert refused.get("Retry-After").partition(" ")[0].isdigit()
    phone.press("4")
    phone.hung_up_on()
    assert phone.audio.prompts[-1] == "thanks"
    assert service.process.wait(STOP_SECONDS) == 0, service.text()
    assert service.processes() == []
    if command == "serve":
        assert service.evaluations_of(call_id)[0]["grade"] == "dissatisfied", "the delivery stops after the node"


def test_a_call_that_does_not_end_is_hung_up_at_the_limit(launch: Callable[..., Service], pick_up: PickUp) -> None:
    service = launch(drain_seconds=0.5)
    phone = pick_up(service)
    call_id = phone.dial()
    phone.asked()
    assert service.process is not None
    service.process.terminate()
    phone.hung_up_on()
    assert service.process.wait(STOP_SECONDS) == 0
    row = next(row for row in service.calls() if row["call_id"] == call_id)
    assert (row["outcome"], row["ended_by"]) == ("hung_up", "node")


def test_an_idle_service_stops_at_once_and_starts_again(launch: Callable[..., Service], pick_up: PickUp) -> None:
    service = launch()
    for _ in range(2):
        phone = pick_up(service)
        call_id = phone.dial()
        phone.press("1")
        phone.hung_up_on()
        assert service.evaluation(call_id)["grade"] == "very_satisfied"
        assert service.stop() == 0
        assert service.processes() == []
        service.start()
    assert len(service.evaluations()) == 2


def test_whoever_kills_the_supervisor_stops_all(launch: Callable[..., Service]) -> None:
    service = launch()
    assert service.process is not None
    service.process.kill()
    service.process.wait(10)
    until(lambda: service.processes() == [], "every process to follow", within=30)


def test_a_signal_while_it_starts_is_heard(launch: Callable[..., Service]) -> None:
    service: Service = launch.prepare()  # type: ignore[attr-defined]
    with service.log.open("wb") as log:
        starting = subprocess.Popen(
            [sys.executable, str(APP), "serve"], cwd=service.folder, env=service.environment, stdout=log, stderr=log
        )
    until(lambda: len(service.processes()) > 1, "its first child")
    starting.terminate()
    assert starting.wait(STOP_SECONDS) == 0, service.text()
    assert service.processes() == []
