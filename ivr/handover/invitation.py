"""What a registered contact is handed: its token and the addresses that carry it. Rule: derived, never stored."""

from dataclasses import dataclass
from datetime import datetime

from ivr.handover.token import issue
from store.secret import Keys


@dataclass(frozen=True, slots=True)
class Invitation:
    """One token, by telephone and by link."""

    token: str
    transfer_uri: str
    evaluate_url: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where callers are transferred to (`HOST:PORT` of SIP) and where links lead (a URL)."""

    sip: str
    web: str


def invite(keys: Keys, contact: str, language: str | None, expires_at: datetime, addresses: Addresses) -> Invitation:
    """Make a contact's invitation; the same contact always gets the same one."""
    token = issue(keys, contact, language, expires_at)
    return Invitation(token, f"sip:{token}@{addresses.sip}", f"{addresses.web.rstrip('/')}/e/{token}")
