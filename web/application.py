"""The web application. Rule: it wires blueprints to one service; rules live in `store`, words in the catalogues."""

from apiflask import APIFlask
from flask import Response, abort, request
from flask.json.provider import DefaultJSONProvider
from flask_babel import Babel

from store.rate import Rates
from web.api.cases import cases
from web.api.catalogue import catalogue as catalogues
from web.api.contacts import contacts
from web.api.evaluations import evaluations
from web.api.imports import imports
from web.api.leases import leases
from web.api.lists import lists
from web.api.reveals import reveals
from web.api.statistics import statistics
from web.authentication import SECURITY_SCHEMES
from web.description import describe
from web.health import health
from web.language import catalogue
from web.metrics import metrics
from web.problem import register_problems
from web.service import NAME, RATES, Service

LARGEST_BODY = 64 * 1024
FILE_BLUEPRINTS = {"imports"}  # their views say what kinds of file they take


def create_app(service: Service) -> APIFlask:
    """Make the application of one process."""
    app = APIFlask("web", title="Pingjia 评价", version="1", docs_path=None, spec_path="/openapi.json")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["SYNC_LOCAL_SPEC"] = False
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 422
    assert isinstance(app.json, DefaultJSONProvider)
    app.json.ensure_ascii = False
    app.json.sort_keys = False
    app.security_schemes = SECURITY_SCHEMES
    app.spec_processor(describe)
    app.extensions[NAME] = service
    app.extensions[RATES] = Rates(service.engine, service.per_minute, service.clock)
    Babel(app, default_locale="zh_Hans", locale_selector=catalogue)
    for blueprint in (contacts, evaluations, imports, leases, catalogues, cases, lists, reveals, statistics):
        app.register_blueprint(blueprint)
    for plain in (health, metrics):
        app.register_blueprint(plain)
    register_problems(app)
    app.before_request(_take_json_only)
    app.after_request(_harden)
    return app


def _take_json_only() -> None:
    takes_files = request.blueprint in FILE_BLUEPRINTS
    changes = request.method in ("POST", "PUT", "PATCH") and request.path.startswith("/api/")
    if changes and not request.is_json and not takes_files:
        abort(415)


def _harden(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith("/api/"):
        # answers hold tokens and what citizens said: not for a proxy's disk
        response.headers.setdefault("Cache-Control", "no-store")
    return response
