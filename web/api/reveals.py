"""`/contacts/{id}/reveal`: the caller's number or the words of a comment, for a reason that is kept."""

from dataclasses import asdict

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from store.credential import Scope
from store.reveal import Look, reveal
from web.api.reveal_fields import RevealIn, RevealOut
from web.authentication import SECURITY, caller, needs
from web.service import service

reveals = APIBlueprint("reveals", __name__, url_prefix="/api/v1", tag="contacts")

_RESPONSES = [400, 401, 403, 404, 413, 415, 429, 503]


@reveals.post("/contacts/<uuid:wanted>/reveal")
@reveals.doc(summary="Look at who gave an evaluation", security=SECURITY, responses=_RESPONSES)
@needs(Scope.CONTACTS_REVEAL)
@reveals.input(RevealIn, arg_name="body")
@reveals.output(RevealOut)
def show(wanted: object, body: RevealIn) -> ResponseReturnValue:
    """Give the number or the comments of a contact (or of a call that none is bound to) after storing who asks and why.

    Each look is a row of the ledger.
    """
    here = service()
    look = Look(str(wanted), body.fields, body.reason.strip(), body.by.strip(), caller().id)
    return asdict(reveal(here.engine, here.keys, look, here.clock()))
