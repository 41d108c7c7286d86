"""`POST /api/v1/evaluations/import`: a pile of typed-in paper forms, CSV or XLSX, all of it or nothing."""

from dataclasses import asdict

from apiflask import APIBlueprint
from flask import abort, request
from flask.typing import ResponseReturnValue

from store.casting import Rules
from store.credential import Channel, Scope
from store.form_import import ALREADY, REFUSED, STORED, Told, import_forms
from store.sheet import SheetMistake, read_sheet
from web.api.ballot_fields import ImportOut
from web.authentication import SECURITY, caller, needs
from web.language import _
from web.problem import problem
from web.service import service

imports = APIBlueprint("imports", __name__, url_prefix="/api/v1", tag="evaluations")

LARGEST_BODY = 8 * 1024 * 1024
TYPES = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_BODY = {"required": True, "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES}}


@imports.before_request
def _take_large_bodies() -> None:
    request.max_content_length = LARGEST_BODY


@imports.post("/evaluations/import")
@imports.doc(
    summary="Import paper forms",
    security=SECURITY,
    responses=[401, 403, 413, 415, 422, 429, 503],
    operation_id="import_forms",
)
@needs(Scope.EVALUATIONS_WRITE)
@imports.output(ImportOut)
def add() -> ResponseReturnValue:
    """Import numbered forms; one line that cannot be taken, and nothing is imported and 422 says why of each."""
    here = service()
    if caller().channel is not Channel.PAPER:
        return problem(403, _("A channel of paper forms is needed for that."))
    if request.mimetype not in TYPES:
        abort(415)
    try:
        lines = read_sheet(request.get_data())
    except SheetMistake as mistake:
        return problem(422, _("The file cannot be read: %(why)s", why=str(mistake)))
    told = import_forms(
        here.engine,
        here.keys,
        lines,
        credential=caller(),
        rules=Rules(here.repeat, here.tag_table.version),
        tag_table=here.tag_table,
        now=here.clock(),
        token_life=here.token_life,
    )
    if refused := [line for line in told if line.verdict == REFUSED]:
        detail = _(
            "Nothing was imported: %(count)s of %(lines)s lines cannot be taken.", count=len(refused), lines=len(told)
        )
        return problem(422, detail, [_error(line) for line in refused])
    counts = {verdict: sum(line.verdict == verdict for line in told) for verdict in (STORED, ALREADY)}
    return counts | {"lines": [asdict(line) for line in told]}


def _error(line: Told) -> dict[str, str]:
    return {"pointer": f"#/{line.line}", "detail": line.reason or ""}
