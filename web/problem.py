"""Errors as RFC 9457 problem details in the caller's language. Rule: every error of the API leaves through here."""

from collections.abc import Mapping
from typing import Any

import structlog
from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, json, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from store.errors import IdempotencyConflict, NotFound, StoreError
from web.language import _, tag

log = structlog.get_logger("web")

RETRY_AFTER_SECONDS = 5


def problem(
    status: int, detail: str, errors: list[dict[str, str]] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a problem response; `errors` has one entry per field with a JSON pointer (RFC 6901) to it."""
    body: dict[str, Any] = {"type": "about:blank", "title": _title(status), "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    response = Response(json.dumps(body, ensure_ascii=False), status, content_type="application/problem+json")
    response.headers["Content-Language"] = tag()
    response.headers.extend(headers or {})
    return response


def field_problem(status: int, field: str, why: str, headers: Mapping[str, str] | None = None) -> Response:
    """Make a problem of one field; `why` is the detail too, for those who show nothing else."""
    return problem(status, why, [{"pointer": f"#/{field}", "detail": why}], headers)


def register_problems(app: APIFlask) -> None:
    """Answer every exception of a view with a problem."""
    app.register_error_handler(HTTPError, _api_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(IdempotencyConflict, _idempotency_conflict)
    app.register_error_handler(StoreError, _store_error)
    app.register_error_handler(Exception, _unexpected)


def _api_error(error: Exception) -> Response:
    """What APIFlask raises; a failed validation has pydantic's own report as its cause."""
    assert isinstance(error, HTTPError)
    if isinstance(error.__cause__, ValidationError):
        return invalid(error.__cause__)
    return problem(error.status_code, _detail(error.status_code))


def _http_error(error: Exception) -> BaseResponse:
    assert isinstance(error, HTTPException)
    if error.code is None or error.code < 400:
        return error.get_response()
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return problem(error.code, _detail(error.code), headers=headers)


def invalid(report: ValidationError) -> Response:
    """Name every field that cannot be taken, and why."""
    errors = [
        {"pointer": _pointer(mistake["loc"]), "detail": _sentence(mistake)}
        for mistake in report.errors(include_url=False)
    ]
    names = ", ".join(error["pointer"].removeprefix("#/") for error in errors if error["pointer"] != "#")
    detail = _("These fields cannot be taken: %(names)s", names=names) if names else errors[0]["detail"]
    return problem(422, detail, errors)


def _pointer(place: tuple[int | str, ...]) -> str:
    """Point into the body (RFC 6901 3, 6)."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


def _not_found(_error: Exception) -> Response:
    return problem(404, _("There is nothing here."))


def _idempotency_conflict(_error: Exception) -> Response:
    return problem(422, _("This Idempotency-Key was used before with another body."))


def _store_error(error: Exception) -> Response:
    """The database is down or of another schema: the log and /readyz tell the engineer why, the caller retries."""
    log.error("store", fault=str(error))
    return problem(503, _("The store cannot be reached now; try again later."), headers=_RETRY)


def _unexpected(error: Exception) -> Response:
    log.error("request failed", path=request.url_rule and request.url_rule.rule, exc_info=error)
    return problem(500, _("Something went wrong here; it has been logged."))


_RETRY = {"Retry-After": str(RETRY_AFTER_SECONDS)}


def _sentence(mistake: Mapping[str, Any]) -> str:
    """Say a pydantic mistake in the reader's language; the offending value, maybe a number, is never repeated."""
    context = mistake.get("ctx", {})
    match mistake["type"]:
        case "string_too_long":
            return _("At most %(count)s characters.", count=context["max_length"])
        case "too_long":
            return _("At most %(count)s entries.", count=context["max_length"])
        case "too_short":
            return _("At least %(count)s entries.", count=context["min_length"])
        case "enum" | "literal_error":
            return _("Choose one of %(choices)s.", choices=context["expected"].replace("'", "").replace(" or ", ", "))
        case kind if kind.startswith(("datetime", "timezone", "date")):
            return _("Write a date and time with its zone, such as 2026-11-22T14:00:00+08:00.")
        case kind:
            return _plain_sentences().get(kind) or _("This value cannot be taken.")


def _plain_sentences() -> dict[str, str]:
    """Give the sentences of mistakes that need no more than their kind."""
    number = _("Write a whole number within the limits.")
    return {
        "extra_forbidden": _("There is no such field."),
        "missing": _("This field is needed."),
        "string_type": _("Write this as text."),
        "string_too_short": _("This must not be empty."),
        "list_type": _("Write this as a list."),
        "bool_type": _("Write true or false."),
        "bool_parsing": _("Write true or false."),
        "model_type": _("The body must be a JSON object."),
        "model_attributes_type": _("The body must be a JSON object."),
        "phone_number": _("Write a phone number: digits, with + in front if international."),
        "work_order_missing": _("A contact of kind work_order needs a work_order."),
        "code_twice": _("A code stands there twice."),
        "control_characters": _("Control characters are not allowed."),
        **dict.fromkeys(("int_parsing", "int_type", "int_from_float", "greater_than_equal", "less_than_equal"), number),
    }


def _title(status: int) -> str:
    titles = {
        400: _("Bad request"),
        401: _("Not authenticated"),
        403: _("Not allowed"),
        404: _("Not found"),
        409: _("Conflict"),
        410: _("Gone"),
        405: _("Method not allowed"),
        413: _("Too large"),
        415: _("Unsupported media type"),
        422: _("Cannot be processed"),
        429: _("Too many requests"),
        500: _("Internal error"),
        503: _("Unavailable"),
    }
    return titles.get(status) or _("Error")


def _detail(status: int) -> str:
    details = {
        400: _("The request is not well formed; the body must be JSON."),
        401: _("Send a valid API key: Authorization: Bearer KEY, or X-API-Key: KEY."),
        403: _("This key has not got the scope for that."),
        404: _("There is nothing here."),
        405: _("This address does not take that method."),
        413: _("The body is too large."),
        415: _("Send the body as application/json."),
        503: _("The store cannot be reached now; try again later."),
    }
    return details.get(status) or _title(status)
