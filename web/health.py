"""`/healthz` and `/readyz`. Rule: ready means that a press made now would be kept and delivered; or it says why not."""

from flask import Blueprint, Response, json
from prometheus_client import CollectorRegistry

from store.database import Engine, reading
from store.errors import StoreError
from web.metrics import figure, gathered
from web.service import service

LATE_SECONDS = 60.0

health = Blueprint("health", __name__)


@health.get("/healthz")
def alive() -> Response:
    """Say that the process answers."""
    return _answer({"status": "alive"}, 200)


@health.get("/readyz")
def ready() -> Response:
    """Say whether database, journal and delivery do their work; 503 names the one that does not."""
    figures = gathered()
    checks = {
        "database": _database(service().engine),
        "journal": _journal(figures),
        "delivery": _delivery(figures),
    }
    wrong = {name: fault for name, fault in checks.items() if fault}
    body = {"ready": not wrong, "checks": {name: fault or "ok" for name, fault in checks.items()}}
    return _answer(body, 503 if wrong else 200)


def _database(engine: Engine) -> str | None:
    try:
        with reading(engine):
            return None
    except StoreError as error:
        return str(error)


def _journal(figures: CollectorRegistry) -> str | None:
    return "the journal is full: callers hear an apology" if figure(figures, "pingjia_journal_full") else None


def _delivery(figures: CollectorRegistry) -> str | None:
    if figure(figures, "pingjia_delivery_store_down"):
        return "the delivery cannot reach the store; calls are kept in the journal"
    seconds = figure(figures, "pingjia_delivery_oldest_seconds") or 0.0
    return f"the oldest call has waited {seconds:.0f} s for the store" if seconds > LATE_SECONDS else None


def _answer(body: dict[str, object], status: int) -> Response:
    return Response(json.dumps(body, ensure_ascii=False) + "\n", status, content_type="application/json")
