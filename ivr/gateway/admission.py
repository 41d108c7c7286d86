"""Who is let in and as whom: reads an INVITE's token, user part and caller before anything is answered.

Nothing here knows sockets or calls; it turns one INVITE into a decision that can be told in a sentence.
"""

from dataclasses import dataclass
from datetime import datetime

from ivr.handover.correlation import correlate
from ivr.handover.token import Reading, read
from ivr.sip.errors import BadHeader
from ivr.sip.message import Request
from ivr.sip.name_address import parse
from store.call import Match
from store.secret import Keys


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final response instead of an answer (RFC 3261 21.4)."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call to answer: what its token said, and the caller's number in clear, to be encrypted at once."""

    reading: Reading
    caller: str | None


@dataclass(frozen=True, slots=True)
class Door:
    """The settings that decide: `users` are the user parts that reach the survey without a token; empty: any."""

    keys: Keys
    users: frozenset[str]
    refuse_unmatched: bool

    def admit(self, invite: Request, now: datetime) -> Admitted | Refusal:
        """Decide over one INVITE outside a dialog; `now` is aware UTC."""
        user = invite.uri.user
        token = correlate(user, invite.headers)
        reading = read(token, self.keys, now) if token else Reading(Match.NONE)
        if token is None and self.users and user.lower() not in self.users:
            return Refusal(404, "Not Found")
        if self.refuse_unmatched and reading.match is not Match.TOKEN:
            return Refusal(403, "Forbidden")
        return Admitted(reading, caller_number(invite))


def caller_number(invite: Request) -> str | None:
    """The number the trunk asserts (RFC 3325 P-Asserted-Identity), else From's; None where it is no number."""
    for value in (*invite.headers("P-Asserted-Identity"), *invite.headers("From")):
        try:
            number = number_of(parse(value).uri.user)
        except BadHeader:
            continue
        if number:
            return number
    return None


def number_of(user: str) -> str | None:
    """`+86-138 0013 8000;ext=1` → `+8613800138000`: digits with the + they had; None if it is no telephone number."""
    digits = "".join(character for character in user.partition(";")[0] if character not in "-.() ")
    plain = digits.removeprefix("+")
    return digits if plain.isascii() and plain.isdigit() and 3 <= len(plain) <= 18 else None
