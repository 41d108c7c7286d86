"""Processes are killed in the worst moments: what was thanked for is in the store once, and the service comes back."""

import os
import random
import signal
import time
from collections.abc import Callable

from outside.phone import Phone
from outside.service import Service
from outside.sip_client import Wire, request
from outside.waiting import until

PickUp = Callable[..., Phone]
# a supervisor gives up on what falls more than five times a minute
ROUNDS = 4


def answers_again(service: Service) -> bool:
    """Whether a probe is answered."""
    wire = Wire(service.host, service.port)
    try:
        answer = wire.ask(request(wire, "OPTIONS"), within=0.5)
    finally:
        wire.close()
    return answer is not None and answer.status == 200


def test_what_was_thanked_for_survives_a_killed_node_once(launch: Callable[..., Service], pick_up: PickUp) -> None:
    service = launch()
    rated = []
    for _ in range(ROUNDS):
        phone = pick_up(service)
        rated.append(phone.dial())
        phone.asked()
        phone.press("5")
        until(lambda phone=phone: "thanks" in phone.audio.prompts, "thanks")
        os.kill(service.node_process(), signal.SIGKILL)
        until(lambda: answers_again(service), "the node to come back", within=20)
    for call_id in rated:
        row = service.call(call_id)
        assert (row["outcome"], row["ended_by"]) == ("rated", "node")
        assert service.evaluation(call_id)["grade"] == "very_dissatisfied"
    assert len(service.evaluations()) == ROUNDS


def test_a_node_killed_between_press_and_thanks_loses_nothing_it_thanked_for(
    launch: Callable[..., Service], pick_up: PickUp
) -> None:
    service = launch()
    chance = random.Random(2)
    thanked: dict[str, bool] = {}
    for _ in range(ROUNDS):
        phone = pick_up(service)
        call_id = phone.dial()
        phone.asked()
        node = service.node_process()
        phone.press("2")
        time.sleep(chance.uniform(0, 0.01))
        os.kill(node, signal.SIGKILL)
        until(lambda: answers_again(service), "the node to come back", within=20)
        thanked[call_id] = "thanks" in phone.audio.prompts
    for call_id, heard in thanked.items():
        row = service.call(call_id)
        assert row["outcome"] in ({"rated"} if heard else {"rated", "error"})
        assert row["ended_by"] == "node"
        evaluations = service.evaluations_of(call_id)
        assert len(evaluations) == (1 if row["outcome"] == "rated" else 0)


def test_a_killed_media_process_ends_its_calls_truthfully_and_comes_back(
    launch: Callable[..., Service], pick_up: PickUp
) -> None:
    service = launch()
    asked, answered = pick_up(service), pick_up(service)
    calls = [asked.dial(), answered.dial()]
    asked.asked()
    answered.asked()
    answered.press("1")
    until(lambda: "thanks" in answered.audio.prompts, "thanks")
    os.kill(service.media_process(), signal.SIGKILL)
    asked.hung_up_on()
    answered.hung_up_on()
    assert (service.call(calls[0])["outcome"], service.call(calls[0])["ended_by"]) == ("hung_up", "media")
    assert service.call(calls[1])["outcome"] == "rated"

    def rates() -> bool:
        phone = pick_up(service)
        phone.send_invite()
        answer = phone.final()
        if answer.status != 200:
            return False
        phone.established(answer)
        phone.asked()
        phone.press("2")
        phone.hung_up_on()
        return service.evaluation(phone.call_id)["grade"] == "satisfied"

    until(rates, "a rated call on the new media process", within=20)
    until(lambda: service.figure("pingjia_media_restarts_total") == 1, "the restart in the figures")


def test_a_killed_delivery_comes_back_and_delivers_once(launch: Callable[..., Service], pick_up: PickUp) -> None:
    service = launch()
    calls = []
    for _ in range(3):
        phone = pick_up(service)
        calls.append(phone.dial())
        phone.press("3")
        phone.hung_up_on()
        (delivery,) = service.processes("deliver")
        os.kill(delivery, signal.SIGKILL)
        until(lambda delivery=delivery: service.processes("deliver") not in ([], [delivery]), "the next delivery")
    assert [service.evaluation(call)["grade"] for call in calls] == ["basically_satisfied"] * 3
    assert len(service.evaluations()) == 3


def test_a_killed_web_process_comes_back(launch: Callable[..., Service]) -> None:
    service = launch()
    for pid in service.processes("web"):
        os.kill(pid, signal.SIGKILL)

    def alive() -> bool:
        try:
            return service.get("/healthz")[0] == 200
        except OSError:
            return False

    until(alive, "the web process to come back", within=20)


def test_a_process_that_keeps_falling_stops_all_with_an_error(launch: Callable[..., Service]) -> None:
    service = launch()
    assert service.process is not None
    deadline = time.monotonic() + 60
    while service.running and time.monotonic() < deadline:
        for pid in service.processes("deliver"):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.1)
    assert service.process.wait(1) == 1
    assert "keeps falling" in service.text()
    assert service.processes() == []
