"""`/api/v1/contacts`: register a contact at the operator's answer, and see what became of it."""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import g
from flask.typing import ResponseReturnValue

from ivr.handover.invitation import invite
from store import query
from store.ballot import from_the_future
from store.credential import Scope
from store.query import Page
from store.register import Registered, Request, register
from web.api.fields import ContactIn, ContactOut, ContactStatus
from web.api.idempotency import idempotency_key
from web.authentication import SECURITY, caller, needs
from web.language import _
from web.problem import field_problem
from web.service import service

contacts = APIBlueprint("contacts", __name__, url_prefix="/api/v1", tag="contacts")


@contacts.post("/contacts")
@contacts.doc(summary="Register a contact", security=SECURITY, responses=[401, 403, 415, 503])
@needs(Scope.CONTACTS_WRITE)
@contacts.input(ContactIn, arg_name="body")
@contacts.output(ContactOut, 201)
def add(body: ContactIn) -> ResponseReturnValue:
    """Give the token and the transfer URI for a contact.

    With an `Idempotency-Key` a repeated request gets the first answer again.
    """
    here = service()
    now = here.clock()
    if from_the_future(body.served_at, now):
        return field_problem(422, "served_at", _("This time has not been yet."))
    asked = Request(caller().id, idempotency_key())
    row = register(here.engine, here.keys, body.contact(), now=now, expires_at=now + here.token_life, request=asked)
    return _answer(row)


def _answer(row: Registered) -> ResponseReturnValue:
    here = service()
    invitation = invite(here.keys, row.id, row.language, row.expires_at, here.addresses)
    body = asdict(invitation) | {"id": row.id, "expires_at": row.expires_at, "number": row.number}
    return body, 201, {"Location": f"/api/v1/contacts/{row.id}"}


@contacts.get("/contacts/<uuid:wanted>")
@contacts.doc(summary="What became of a contact", security=SECURITY, responses=[401, 403, 404, 503])
@needs(Scope.CONTACTS_READ)
@contacts.output(ContactStatus)
def show(wanted: object) -> ResponseReturnValue:
    """Give a contact's outcome, its calls and its evaluations; grades only to keys with `evaluations:read`."""
    here = service()
    found = query.contact(here.engine, str(wanted), here.cipher, here.clock())
    calls = query.calls(here.engine, Page(), None, found.id)
    evaluations = query.evaluations(here.engine, Page(), found.id)
    parts = {"calls": [asdict(row) for row in calls], "evaluations": [_evaluation(asdict(row)) for row in evaluations]}
    return asdict(found) | parts | ({} if _may_see_masked() else {"caller": None})


def _may_see_masked() -> bool:
    """Four digits may tell an operator who it was: for those who brought the number, or may look at all of it."""
    return not _MASKED_FOR.isdisjoint(g.credential.scopes)


_MASKED_FOR = frozenset({Scope.CONTACTS_WRITE, Scope.CONTACTS_REVEAL})


def _evaluation(row: dict[str, Any]) -> dict[str, Any]:
    if Scope.EVALUATIONS_READ in g.credential.scopes:
        return row
    return row | {"grade": None, "stars": None}
