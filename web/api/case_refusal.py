"""Why an act on a case is refused, in the reader's words. Rule: nothing of the case or of a person in the sentence."""

from flask import Response

from store.case import CaseRefused, Refusal
from web.language import _
from web.problem import field_problem, problem


def refused(error: Exception) -> Response:
    """Answer a refused act: 403 not yours, 409 not now, 422 something is missing."""
    assert isinstance(error, CaseRefused)
    match error.refusal:
        case Refusal.NOT_NOW:
            return problem(409, _("This cannot be done to the case as it stands."))
        case Refusal.NOT_YOURS:
            return problem(403, _("This is for another role."))
        case Refusal.OVERTAKEN:
            return field_problem(409, "seq", _("Somebody else has just acted on this case: look at it again."))
        case Refusal.NEEDS_ATTEMPTS:
            return problem(409, _("The evaluator has to be called in vain more often before the case is closed so."))
        case Refusal.OBJECTION_OPEN:
            return problem(409, _("The objection has to be decided first."))
        case Refusal.OBJECTION_MADE:
            return problem(409, _("An objection was made already."))
        case Refusal.OBJECTION_LATE:
            return problem(409, _("The time to object is over."))
        case Refusal.NEEDS_OTHER_PERSON:
            return field_problem(422, "actor", _("This needs another person than the one before."))
        case Refusal.NEEDS_NOTE:
            return field_problem(422, "note", _("Say what was found or done."))
        case Refusal.NEEDS_REASON:
            return field_problem(422, "reason", _("Say why: misjudged or malicious."))
        case Refusal.NEEDS_EVIDENCE:
            return field_problem(422, "evidence", _("Attach a file to this case and give its id."))


def not_takeable(_error: Exception) -> Response:
    """Answer for a file that is no evidence we keep."""
    return field_problem(422, "content", _("Attach a PDF, PNG, JPEG, DOCX or WAV file within the size limit."))
