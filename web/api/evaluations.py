"""`POST /api/v1/evaluations`: a ballot from a channel."""

from dataclasses import asdict
from uuid import UUID

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from ivr.handover.token import read
from store.ballot import Ballot, Verdict, from_the_future
from store.call import Match
from store.casting import Given, Rules, cast
from store.credential import Scope
from store.grade import Grade
from store.idempotency import Asked, fingerprint
from web.api.ballot_fields import EvaluationGiven, EvaluationIn
from web.api.idempotency import idempotency_key
from web.authentication import SECURITY, caller, needs
from web.language import _
from web.problem import field_problem
from web.service import service

evaluations = APIBlueprint("evaluations", __name__, url_prefix="/api/v1", tag="evaluations")


@evaluations.post("/evaluations")
@evaluations.doc(
    summary="Bring in what a citizen gave",
    security=SECURITY,
    responses=[400, 401, 403, 404, 409, 410, 413, 415, 429, 503],
)
@needs(Scope.EVALUATIONS_WRITE)
@evaluations.input(EvaluationIn, arg_name="body")
@evaluations.output(EvaluationGiven, 201)
def add(body: EvaluationIn) -> ResponseReturnValue:
    """Store an evaluation; the first of a contact and round to be stored wins, whatever its channel.

    With an `Idempotency-Key` a repeated request gets the first answer again.
    """
    here = service()
    now = here.clock()
    if from_the_future(body.answered_at, now):
        return field_problem(422, "answered_at", _("This time has not been yet."))
    if misfits := here.tag_table.misfits(body.grade, body.tags):
        return field_problem(422, f"tags/{misfits[0]}", _("This tag is none of the grade's, or stands here twice."))
    ballot = _ballot(body)
    if ballot is None:
        return field_problem(422, "contact", _("Write the contact's id or its token."))
    key = idempotency_key()
    asked = Asked(caller().id, key, fingerprint(here.keys, body.model_dump(mode="json"))) if key else None
    rules = Rules(here.repeat, here.tag_table.version, here.policy)
    found = cast(here.engine, here.keys, ballot, credential=caller(), rules=rules, now=now, asked=asked)
    return _given(found) if isinstance(found, Given) else refused(found)


def _ballot(body: EvaluationIn) -> Ballot | Verdict | None:
    """Make out the contact; None for what is neither an id nor a token."""
    match, contact = Match.NAMED, _uuid(body.contact)
    if contact is None:
        reading = read(body.contact, service().keys, service().clock())
        match, contact = reading.match, reading.contact
        if match is Match.NONE:
            return None
    if match is Match.EXPIRED:
        return Verdict.TOKEN_EXPIRED
    if contact is None:
        return Verdict.UNKNOWN_CONTACT
    return Ballot(
        contact=contact,
        match=match,
        grade=body.grade,
        tags=tuple(body.tags),
        comment=body.comment,
        device=body.device,
        claimed_at=body.answered_at,
        round=body.round,
    )


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _given(found: Given) -> ResponseReturnValue:
    return asdict(found) | {"stars": Grade(found.grade).stars}, 201, {"Location": f"/api/v1/contacts/{found.contact}"}


def refused(verdict: Verdict) -> ResponseReturnValue:
    """Say why a ballot or a lease is not taken; the 409 in the words of the city's platform."""
    match verdict:
        case Verdict.ALREADY_EVALUATED:
            return field_problem(409, "contact", _("This matter has been evaluated; it need not be evaluated again."))
        case Verdict.CLOSED:
            return field_problem(410, "contact", _("The time in which this contact could be evaluated is over."))
        case Verdict.TOKEN_EXPIRED:
            return field_problem(410, "contact", _("This token has expired."))
        case Verdict.NO_SUCH_ROUND:
            return field_problem(422, "round", _("This round was not offered yet."))
        case _:
            return field_problem(404, "contact", _("There is no such contact."))
