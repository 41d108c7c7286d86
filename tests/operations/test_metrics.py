"""Figures: each is exposed by /metrics, each is explained in docs/operations.md, and they count what happened."""

import ast
import re
from collections.abc import Callable

import pytest
from outside.phone import Phone
from outside.service import ROOT, Service
from outside.sip_client import Wire, request
from outside.waiting import until

PickUp = Callable[..., Phone]
STRANGER = "127.9.0.1"  # on loopback, and outside the SIP_TRUNKS of the shared service
KINDS = {"Counter", "Gauge", "Histogram", "Summary"}


def defined() -> dict[str, tuple[str, list[str]]]:
    """Every figure the code makes: its name, kind and labels."""
    found: dict[str, tuple[str, list[str]]] = {}
    for folder in ("ivr", "store", "web", "prompts"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                    if not node.args or not isinstance(node.args[0], ast.Constant):
                        continue  # collections.Counter
                    name = node.args[0].value
                    labels = [each.value for each in node.args[2].elts] if len(node.args) > 2 else []
                    found[name] = (node.func.id, labels)
    return found


FIGURES = defined()


def test_every_name_has_our_prefix_and_a_unit_that_fits() -> None:
    assert len(FIGURES) > 15
    for name, (kind, labels) in FIGURES.items():
        assert name.startswith("pingjia_")
        assert name.endswith("_total") == (kind == "Counter"), name
        assert not {"caller", "number", "token", "contact"} & set(labels), name


@pytest.mark.parametrize("name", FIGURES)
def test_each_is_explained_in_the_manual(name: str) -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    _, labels = FIGURES[name]
    wanted = name + (f"{{{','.join(labels)}}}" if labels else "")
    assert f"`{wanted}`" in manual, f"docs/operations.md does not explain `{wanted}`"


def test_the_manual_explains_none_that_is_not_there() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(pingjia_[a-z0-9_]+)", manual, re.MULTILINE)) == set(FIGURES)


def test_each_is_exposed(service: Service, pick_up: PickUp) -> None:
    """A figure with labels has no line before something is counted under one: so one of each happens first."""
    phone = pick_up(service)
    phone.refused(sdp=phone.offer(formats="18"))
    phone.wire.send(b"this is no SIP\r\n\r\n")
    rated = pick_up(service)
    call_id = rated.dial()
    rated.press("1")
    rated.hung_up_on()
    service.call(call_id)
    text = until(lambda: _with_all(service), "every figure", within=5)
    assert "pingjia_" in text


def _with_all(service: Service) -> str | None:
    status, text = service.get("/metrics")
    assert status == 200
    # without a platform to send to and without work that is due there is nothing to count under these labels
    due = [name for name, (_, labels) in FIGURES.items() if not {"target", "job"} & set(labels)]
    missing = [name for name in due if not re.search(rf"^# TYPE {name} ", text, re.MULTILINE)]
    return None if missing else text


def _standing_still(read: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What is read twice alike over a longer time than a node keeps figures before it writes them down."""
    seen: list[dict[str, float]] = []

    def look() -> dict[str, float] | None:
        seen.append(read())
        return seen[-1] if seen[-1] in seen[-2:-1] else None

    return until(look, "figures that stand still", every=0.7)


def test_they_count_what_happened(service: Service, pick_up: PickUp) -> None:
    def figures() -> dict[str, float]:
        return {
            "rated": service.figure("pingjia_calls_total", outcome="rated"),
            "refused": service.figure("pingjia_calls_refused_total", status="488"),
            "keys": service.figure("pingjia_keys_total", way="rfc4733"),
            "info": service.figure("pingjia_keys_total", way="info"),
            "durable": service.figure("pingjia_press_durable_seconds_count"),
            "answers": service.figure("pingjia_answer_seconds_count"),
            "strangers": service.figure("pingjia_sip_strangers_total"),
            "delivered": service.figure("pingjia_delivered_calls_total"),
        }

    before = _standing_still(figures)
    phone = pick_up(service)
    call_id = phone.dial()
    phone.press("1")
    phone.hung_up_on()
    other = pick_up(service)
    other_id = other.dial()
    other.signal("2")
    other.hung_up_on()
    refusing = pick_up(service)
    refusing.refused(sdp=refusing.offer(formats="18"))
    stranger = Wire(service.host, service.port, source=STRANGER)
    answer = stranger.ask(request(stranger, "OPTIONS"))
    stranger.close()
    assert answer is not None
    assert answer.status == 403
    service.call(call_id)
    service.call(other_id)
    grown = {name: value - before[name] for name, value in _standing_still(figures).items()}
    assert grown == {
        "rated": 2,
        "refused": 1,
        "keys": 1,
        "info": 1,
        "durable": 2,
        "answers": 2,
        "delivered": 2,
        "strangers": 1,
    }
    assert service.figure("pingjia_calls_active") == 0
    assert "13800000000" not in service.get("/metrics")[1]
