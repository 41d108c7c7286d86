"""After a whole run no file holds a number, a name or a comment in clear: database, logs, journal, figures, exports."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from outside.phone import Phone
from outside.service import Service

import app

NUMBER, CALLED_FROM = "13987650123", "13765430198"
NAME, WORDS, NOTE, WHY = "欧阳慕容雪", "窗口让我跑了整整三趟才办成", "来电人住在铁东区", "核实来电人的投诉"
SECRETS = (NUMBER, CALLED_FROM, NAME, WORDS, NOTE, WHY)
OPERATOR = "operator-canary-7"  # not confidential: that it is found proves that the search finds


def test_no_file_holds_in_clear_who_gave_an_evaluation(
    launch: Callable[..., Service], pick_up: Callable[..., Phone], database_url: str
) -> None:
    service = launch(database_url=database_url)
    contact = register(service)
    rate_by_phone(service, pick_up(service), contact)
    comment_by_web(service)
    work_on_the_case(service)
    look_at_everything(service, contact["id"])
    search(service, database_url)
    rotate(service)
    search(service, database_url)
    assert service.stop() == 0
    search(service, database_url)
    assert "nothing changed" in run(service, "audit", "verify")


def register(service: Service) -> dict[str, Any]:
    body = {"caller": NUMBER, "operator": OPERATOR, "department": "D1"}
    return post(service, "/api/v1/contacts", body, key(service, "hotline", "cti"))


def rate_by_phone(service: Service, phone: Phone, contact: dict[str, Any]) -> None:
    called_from = f'"{NAME}" <sip:{CALLED_FROM}@{phone.wire.address}>;tag=f1'
    asserted = f'"{NAME}" <sip:{CALLED_FROM}@pbx.example>'
    call_id = phone.dial(contact["token"], From=called_from, P_Asserted_Identity=asserted)
    phone.asked()
    phone.press("4")
    phone.hung_up_on()
    assert service.evaluation(call_id)["contact"] == contact["id"]
    assert service.call(call_id)["caller"] == "137****0198"


def comment_by_web(service: Service) -> None:
    """An evaluation with words; and requests that are refused while they hold a number."""
    writer, web = key(service, "hotline 2", "cti"), key(service, "web", "web")
    made = post(service, "/api/v1/contacts", {"operator": OPERATOR}, writer)
    given = {"contact": made["id"], "grade": "dissatisfied", "comment": f"{NAME}: {WORDS}"}
    assert post(service, "/api/v1/evaluations", given, web)["grade"] == "dissatisfied"
    assert post(service, "/api/v1/evaluations", given, web)["status"] == 409
    assert post(service, "/api/v1/evaluations", given | {"grade": WORDS}, web)["status"] == 422
    assert post(service, "/api/v1/contacts", {"caller": f"{NUMBER}x", NAME: NUMBER}, writer)["status"] == 422


def work_on_the_case(service: Service) -> None:
    (case, *_rest) = rows(service, "cases", "list")
    run(service, "cases", "act", case["id"], "verify", "--as", "wang", "--role", "case_team")
    act = ("cases", "act", case["id"], "call_back", "--as", "wang", "--role", "case_team")
    run(service, *act, "--note", f"{NAME} {NOTE} {NUMBER}")


def look_at_everything(service: Service, contact: str) -> None:
    """What people and machines read is kept in files, as exports are; a look in clear is not, for it has the right."""
    look = run(service, "contact", "reveal", contact, "--reason", f"{WHY} {NAME}", "--as", "wang", "--format", "json")
    assert json.loads(look)["caller"] == NUMBER
    exports = service.folder / "exports"
    exports.mkdir()
    for what in ("contact", "calls", "evaluations", "cases"):
        for form in ("csv", "jsonl", "table"):
            (exports / f"{what}.{form}").write_text(run(service, what, "list", "--format", form))
    (exports / "statistics.csv").write_text(run(service, "statistics", "--by", "operator", "--format", "csv"))
    (exports / "history.txt").write_text(run(service, "audit", "show", "contact", contact))
    run(service, "statistics", "--by", "operator", "--format", "xlsx", "--output", str(exports / "statistics.xlsx"))
    (exports / "metrics.txt").write_text(service.get("/metrics")[1])
    (exports / "openapi.json").write_text(service.get("/openapi.json")[1])
    service.run("jobs", "--once")


def rotate(service: Service) -> None:
    with (service.data / "secret.key").open("a") as file:
        file.write(f"2:{'5a' * 32}\n")
    service.settings["field_cipher"] = "sm4-gcm"
    assert "key 2, sm4-gcm" in run(service, "db", "rekey")


def search(service: Service, database_url: str) -> None:
    found: dict[str, set[str]] = {}
    for path in files(service, database_url):
        data = path.read_bytes()
        for secret in (*SECRETS, OPERATOR):
            if any(form in data for form in spellings(secret)):
                found.setdefault(secret, set()).add(path.name)
    assert found.pop(OPERATOR, None), "the search reads nothing"
    assert found == {}


def spellings(secret: str) -> Iterator[bytes]:
    """As UTF-8, as JSON without it, as UTF-16 within a spreadsheet."""
    yield secret.encode()
    yield json.dumps(secret)[1:-1].encode()
    yield secret.encode("utf-16-le")


def files(service: Service, database_url: str) -> Iterator[Path]:
    """Every file of the installation, and of the database: PostgreSQL's tables, write-ahead log and log."""
    _, _, socket = database_url.partition("host=")
    # an embedded database lies beside the installation, with its write-ahead log
    for folder in (Path(socket) if socket else service.folder.parent, service.folder):
        yield from (path for path in folder.rglob("*") if path.is_file())


def run(service: Service, *arguments: str) -> str:
    """A command within this process: there are many, and a process for each would take a minute on a busy machine."""
    told = CliRunner().invoke(app.main, arguments, env=service.environment)
    assert told.exit_code == 0, told.output
    return told.stdout


def key(service: Service, name: str, channel: str) -> str:
    return run(service, "channels", "add", name, "--channel", channel).strip()


def rows(service: Service, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(service, *command, "--format", "jsonl").splitlines()]


def post(service: Service, path: str, body: dict[str, Any], api_key: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{service.http}{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            found = json.load(error)
    assert isinstance(found, dict)
    return found
