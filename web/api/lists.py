"""`GET /api/v1/evaluations` and `/calls`: what was recorded, for systems whose key may read it."""

from dataclasses import asdict

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from store import query
from store.credential import Scope
from store.query import Page
from web.api.fields import CallsOut, EvaluationsOut, PageIn
from web.authentication import SECURITY, needs
from web.service import service

lists = APIBlueprint("lists", __name__, url_prefix="/api/v1", tag="lists")


@lists.get("/evaluations")
@lists.doc(summary="List evaluations", security=SECURITY, responses=[401, 403, 503])
@needs(Scope.EVALUATIONS_READ)
@lists.input(PageIn, location="query", arg_name="page")
@lists.output(EvaluationsOut)
def evaluations(page: PageIn) -> ResponseReturnValue:
    """Give evaluations from a moment on, by the time they were recorded."""
    rows = query.evaluations(service().engine, Page(page.since, page.limit, newest=False))
    return {"evaluations": [asdict(row) for row in rows]}


@lists.get("/calls")
@lists.doc(summary="List calls", security=SECURITY, responses=[401, 403, 503])
@needs(Scope.CALLS_READ)
@lists.input(PageIn, location="query", arg_name="page")
@lists.output(CallsOut)
def calls(page: PageIn) -> ResponseReturnValue:
    """Give call detail records from a moment on, by the time the call was answered; no caller's number."""
    rows = query.calls(service().engine, Page(page.since, page.limit, newest=False), None)
    return {"calls": [asdict(row) for row in rows]}
