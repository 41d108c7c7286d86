"""Who calls the API. Rule: every view of the API names the scope it needs; without a good key nothing is looked up."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import abort, g, request
from flask.typing import ResponseReturnValue

from store import credential
from store.credential import Credential, Scope
from web.language import _
from web.problem import problem
from web.service import rates, service

P = ParamSpec("P")

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "apiKey"]


def needs(scope: Scope) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let a request through to the view only with a good key that has the scope: 401 or 403 otherwise."""

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*arguments: P.args, **named: P.kwargs) -> ResponseReturnValue:
            key = _key()
            found = credential.check(service().engine, service().keys, key, service().clock()) if key else None
            if found is None:
                detail = _("Send a valid API key: Authorization: Bearer KEY, or X-API-Key: KEY.")
                return problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
            if scope not in found.scopes:
                abort(403)
            if (seconds := rates().pass_one(found)) is not None:
                detail = _("Too many requests from this channel; try again later.")
                return problem(429, detail, headers={"Retry-After": str(seconds)})
            g.credential = found
            return view(*arguments, **named)

        return guarded

    return decorate


def caller() -> Credential:
    """Give the credential of the request; only inside a view that `needs` a scope."""
    found = g.credential
    assert isinstance(found, Credential)
    return found


def _key() -> str | None:
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return request.headers.get("X-API-Key")
