"""`/api/v1/contacts/{id}/lease`: the turn to ask a contact, so that a message and a call do not ask at once."""

from datetime import timedelta

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from store.credential import Scope
from store.lease import Turn, give_back, take
from web.api.ballot_fields import LeaseIn, LeaseOut
from web.api.evaluations import refused
from web.authentication import SECURITY, caller, needs
from web.language import _
from web.problem import field_problem
from web.service import service

leases = APIBlueprint("leases", __name__, url_prefix="/api/v1", tag="contacts")


@leases.post("/contacts/<uuid:contact>/lease")
@leases.doc(
    summary="Take the turn to ask a contact", security=SECURITY, responses=[401, 403, 404, 409, 410, 413, 415, 429, 503]
)
@needs(Scope.CONTACTS_LEASE)
@leases.input(LeaseIn, arg_name="body")
@leases.output(LeaseOut)
def add(contact: object, body: LeaseIn) -> ResponseReturnValue:
    """Take or prolong the turn for some seconds; 409 while another channel has it, or where nothing is to be asked."""
    here = service()
    now = here.clock()
    turn = take(here.engine, str(contact), caller(), until=now + timedelta(seconds=body.seconds), now=now)
    if not isinstance(turn, Turn):
        return refused(turn)
    if not turn.own:
        seconds = int((turn.until - now).total_seconds()) + 1
        return field_problem(
            409, "contact", _("Another channel is asking this contact now."), headers={"Retry-After": str(seconds)}
        )
    return {"contact": turn.contact, "channel": turn.channel, "until": turn.until}


@leases.delete("/contacts/<uuid:contact>/lease")
@leases.doc(summary="Give the turn back", security=SECURITY, responses=[401, 403, 429, 503])
@needs(Scope.CONTACTS_LEASE)
@leases.output({}, 204)
def remove(contact: object) -> ResponseReturnValue:
    """End one's own turn before its time; another channel's stays."""
    give_back(service().engine, str(contact), caller())
    return "", 204
