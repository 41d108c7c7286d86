"""`/api/v1/cases`: the follow-up of bad evaluations, for the case team's, departments' and reviewers' systems.

Who acts is a name in the body for now: the key vouches for its role, its holder for the person.
"""

import io
from collections.abc import Mapping
from dataclasses import asdict

from apiflask import APIBlueprint
from flask import Response, abort, request, send_file
from flask.typing import ResponseReturnValue

from store import attachment as attachments
from store import case_query, department_watch
from store.attachment import NotTakeable
from store.case import Act, CaseRefused, Role
from store.case_act import Office, Wish, act
from store.case_query import Wanted
from store.credential import Scope
from store.department_watch import Held
from store.query import Page
from web.api.case_fields import (
    ActingRole,
    AttachmentIn,
    AttachmentOut,
    CaseDetailsOut,
    CaseOut,
    CasesIn,
    CasesOut,
    EventIn,
    InterviewIn,
    InterviewOut,
    RemindersOut,
    WarningsOut,
)
from web.api.case_refusal import not_takeable, refused
from web.api.fields import PageIn
from web.authentication import SECURITY, caller, needs
from web.language import _
from web.problem import field_problem
from web.service import service

cases = APIBlueprint("cases", __name__, url_prefix="/api/v1", tag="cases")
cases.register_error_handler(CaseRefused, refused)
cases.register_error_handler(NotTakeable, not_takeable)

ROLES: Mapping[Scope, Role] = {
    Scope.CASES_CASE_TEAM: Role.CASE_TEAM,
    Scope.CASES_DEPARTMENT: Role.DEPARTMENT,
    Scope.CASES_REVIEWER: Role.REVIEWER,
}
_READING = [401, 403, 429, 503]
_ACTING = [400, 401, 403, 404, 409, 413, 415, 429, 503]


@cases.get("/cases")
@cases.doc(summary="List cases", security=SECURITY, responses=_READING)
@needs(Scope.CASES_READ)
@cases.input(CasesIn, location="query", arg_name="wanted")
@cases.output(CasesOut)
def every(wanted: CasesIn) -> ResponseReturnValue:
    """Give cases from a moment on; with `due`, those with something due by then, the most urgent first."""
    here = service()
    which = Wanted([wanted.state] if wanted.state else (), wanted.due, wanted.department)
    rows = case_query.cases(here.engine, which, Page(wanted.since, wanted.limit, newest=False), here.clock())
    return {"cases": [asdict(row) for row in rows]}


@cases.get("/cases/<uuid:wanted>")
@cases.doc(summary="A case and its history", security=SECURITY, responses=[*_READING, 404])
@needs(Scope.CASES_READ)
@cases.output(CaseDetailsOut)
def show(wanted: object) -> ResponseReturnValue:
    """Give a case by its id or its evaluation's; the case team's and reviewers' notes only to their keys."""
    here = service()
    reader = None if _roles() & {Role.CASE_TEAM, Role.REVIEWER} else Role.DEPARTMENT
    return asdict(case_query.details(here.engine, str(wanted), here.cipher, here.clock(), reader))


@cases.post("/cases/<uuid:wanted>/events")
@cases.doc(summary="Do something to a case", security=SECURITY, responses=_ACTING)
@needs(Scope.CASES_READ)
@cases.input(EventIn, arg_name="body")
@cases.output(CaseOut, 201)
def do(wanted: object, body: EventIn) -> ResponseReturnValue:
    """Act as the key's role; docs/cases.md has the table of what may be done when and by whom."""
    here, role = service(), _role(body.role)
    if isinstance(role, Response):
        return role
    wish = Wish(
        Act(body.act),
        body.actor.strip(),
        role,
        body.note,
        body.reason,
        str(body.evidence) if body.evidence else None,
        seq=body.seq,
        credential=caller().id,
    )
    name, now = case_query.named(here.engine, str(wanted)), here.clock()
    act(_office(), name, wish, now)
    found = case_query.details(here.engine, name, here.cipher, now, Role.DEPARTMENT)
    return asdict(found.case), 201


@cases.before_request
def _allow_files() -> None:
    """Let a file of evidence be as large as a site allows, in base64; every other body stays small."""
    if request.endpoint == "cases.attach":
        request.max_content_length = service().shelf.most_bytes * 4 // 3 + 8192


@cases.post("/cases/<uuid:wanted>/attachments")
@cases.doc(summary="Attach evidence to a case", security=SECURITY, responses=_ACTING)
@needs(Scope.CASES_READ)
@cases.input(AttachmentIn, arg_name="body")
@cases.output(AttachmentOut, 201)
def attach(wanted: object, body: AttachmentIn) -> ResponseReturnValue:
    """Keep a file, sealed, to be named by its id as the evidence of an act."""
    if not _roles():
        abort(403)
    here = service()
    name = case_query.named(here.engine, str(wanted))
    kept = attachments.attach(
        _office(), here.shelf, name, body.content, name=body.name, by=body.by.strip(), now=here.clock()
    )
    return asdict(kept), 201


@cases.get("/cases/<uuid:wanted>/attachments/<uuid:attachment>")
@cases.doc(summary="An attachment's bytes", security=SECURITY, responses=[*_READING, 404])
@needs(Scope.CASES_READ)
def fetch(wanted: object, attachment: object) -> ResponseReturnValue:
    """Give the file; not to departments, for evidence may name the evaluator (4.9)."""
    if not _roles() & {Role.CASE_TEAM, Role.REVIEWER}:
        abort(403)
    here = service()
    name = case_query.named(here.engine, str(wanted))
    kept, data = attachments.fetch(_office(), here.shelf, name, str(attachment))
    answer = send_file(io.BytesIO(data), kept.media_type, as_attachment=True, download_name=kept.name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@cases.get("/reminders")
@cases.doc(summary="List reminders", security=SECURITY, responses=_READING)
@needs(Scope.CASES_READ)
@cases.input(PageIn, location="query", arg_name="page")
@cases.output(RemindersOut)
def reminders(page: PageIn) -> ResponseReturnValue:
    """Give reminders from a moment on, for whoever carries them to people."""
    rows = case_query.reminders(service().engine, Page(page.since, page.limit, newest=False))
    return {"reminders": [asdict(row) for row in rows]}


@cases.get("/warnings")
@cases.doc(summary="List departments warned of a low index", security=SECURITY, responses=_READING)
@needs(Scope.CASES_READ)
@cases.input(PageIn, location="query", arg_name="page")
@cases.output(WarningsOut)
def warnings(page: PageIn) -> ResponseReturnValue:
    """Give warnings (8.2); a limit keeps the newest."""
    rows = department_watch.warnings(service().engine, Page(page.since, page.limit))
    return {"warnings": [asdict(row) for row in rows]}


@cases.post("/warnings/<uuid:warning>/interviews")
@cases.doc(summary="Record an interview about a warning", security=SECURITY, responses=_ACTING)
@needs(Scope.CASES_READ)
@cases.input(InterviewIn, arg_name="body")
@cases.output(InterviewOut, 201)
def interview(warning: object, body: InterviewIn) -> ResponseReturnValue:
    """Keep who was spoken with, what was agreed, and until when things are to be better."""
    role = _role(body.role)
    if isinstance(role, Response):
        return role
    held = Held(str(warning), body.actor.strip(), role, body.note, body.rectify_until)
    return asdict(department_watch.interview(_office(), held, service().clock())), 201


def _office() -> Office:
    here = service()
    return Office(here.engine, here.keys, here.policy)


def _roles() -> set[Role]:
    return {role for scope, role in ROLES.items() if scope in caller().scopes}


def _role(wanted: ActingRole | None) -> Role | Response:
    """Say as whom the key acts: as its one role, or as the one that was named."""
    roles = _roles()
    if not roles or (wanted is not None and Role(wanted) not in roles):
        abort(403)
    if wanted is not None:
        return Role(wanted)
    if len(roles) == 1:
        return roles.pop()
    return field_problem(422, "role", _("This key has several roles: say as which."))
