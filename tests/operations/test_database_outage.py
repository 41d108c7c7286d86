"""The database goes away while calls go on: callers notice nothing, and every row arrives once when it is back."""

import json
from collections.abc import Callable, Iterator

import psycopg
import pytest
from outside import postgres
from outside.phone import Phone
from outside.service import Service
from outside.waiting import until

from store.schema import REVISION

PickUp = Callable[..., Phone]


@pytest.fixture
def server() -> Iterator[postgres.Cluster]:
    """A PostgreSQL to be stopped at will."""
    found = postgres.binaries()
    if found is None:
        pytest.skip("PostgreSQL's server is not installed (apt-get install postgresql)")
    with postgres.cluster(found) as running:
        yield running


def rate(phone: Phone) -> str:
    """A call that presses 2 and is thanked; its Call-ID."""
    call_id = phone.dial()
    phone.asked()
    phone.press("2")
    phone.hung_up_on()
    assert phone.audio.prompts == ["ask", "thanks"]
    return call_id


def ready(service: Service) -> dict[str, str]:
    """What /readyz says of each part, with its status under `status`."""
    status, text = service.get("/readyz")
    return {**json.loads(text)["checks"], "status": str(status)}


def test_an_outage_in_the_middle(launch: Callable[..., Service], pick_up: PickUp, server: postgres.Cluster) -> None:
    url = server.new_database()
    service: Service = launch.prepare(database_url=url)  # type: ignore[attr-defined]
    service.run("db", "upgrade")
    service.start()
    calls = [rate(pick_up(service))]
    assert service.evaluation(calls[0])["grade"] == "satisfied"
    assert ready(service)["status"] == "200"

    server.stop()
    calls += [rate(pick_up(service)) for _ in range(3)]
    told = ready(service)
    assert told["status"] == "503"
    assert "cannot be used" in told["database"]
    listed = service.run_anyhow("calls", "list")
    assert listed.returncode == 2
    assert "Traceback" not in listed.stderr
    assert listed.stderr.startswith("Error: the database postgresql")
    until(lambda: service.figure("pingjia_delivery_store_down") == 1, "the alarm")

    server.start()
    for call_id in calls:
        assert service.evaluation(call_id, within=40)["grade"] == "satisfied"
    assert len(service.evaluations()) == len(calls)
    until(lambda: ready(service)["status"] == "200", "readiness")
    assert service.text().count("delivery waits") == 1, "said once, not with every try"
    assert service.text().count("delivery goes on") == 1


def test_an_outage_at_the_start(launch: Callable[..., Service], pick_up: PickUp, server: postgres.Cluster) -> None:
    url = server.new_database()
    service: Service = launch.prepare(database_url=url)  # type: ignore[attr-defined]
    service.run("db", "upgrade")
    server.stop()
    service.start()
    call_id = rate(pick_up(service))
    server.start()
    assert service.evaluation(call_id, within=40)["grade"] == "satisfied"


@pytest.mark.parametrize(
    ("revision", "word"),
    [("0000", "schema 0000"), ("9999", "newer"), (None, "no schema")],
    ids=["older", "newer", "none"],
)
def test_a_schema_that_does_not_fit_is_said_and_calls_go_on(
    launch: Callable[..., Service], pick_up: PickUp, server: postgres.Cluster, revision: str | None, word: str
) -> None:
    url = server.new_database()
    service: Service = launch.prepare(database_url=url)  # type: ignore[attr-defined]
    if revision is not None:
        service.run("db", "upgrade")
        set_revision(url, revision)
    service.start()
    call_id = rate(pick_up(service))
    listed = service.run_anyhow("calls", "list")
    assert listed.returncode == 2
    assert word in listed.stderr, listed.stderr
    assert "db upgrade" in listed.stderr or word == "newer"
    told = ready(service)
    assert told["status"] == "503"
    assert word in told["database"]
    if revision is None:
        service.run("db", "upgrade")
    else:
        set_revision(url, REVISION)
    assert service.evaluation(call_id, within=40)["grade"] == "satisfied"


def set_revision(url: str, revision: str) -> None:
    """Make the database say it is of another revision."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))


def test_a_server_that_is_not_there_is_said_by_commands_in_one_line(launch: Callable[..., Service]) -> None:
    service: Service = launch.prepare(database_url="postgresql://nobody:secret@127.0.0.1:1/pingjia")  # type: ignore[attr-defined]
    for command in (("calls", "list"), ("evaluations", "list"), ("contact", "add"), ("db", "check")):
        done = service.run_anyhow(*command)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("Error: the database")
        assert "secret" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
