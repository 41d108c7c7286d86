"""The contact: one finished service that owes an offer of evaluation. Rule: it ends in exactly one outcome."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from store.call import Outcome

CIVIL_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991


class Kind(StrEnum):
    """What the service was."""

    WORK_ORDER = "work_order"
    CONSULTATION = "consultation"  # no work order: the contact's own number stands for it (4.6)


@dataclass(frozen=True, slots=True)
class NewContact:
    """What a CTI, a desk or a clerk says when registering. `caller` is clear text here and nowhere after."""

    kind: Kind | None = None
    work_order: str | None = None
    matter: str | None = None
    item: str | None = None
    operator: str | None = None
    department: str | None = None
    desk: str | None = None
    platform: str | None = None
    area: str | None = None
    channel: str | None = None
    caller: str | None = None
    language: str | None = None
    served_at: datetime | None = None

    @property
    def settled_kind(self) -> Kind:
        """Derive the kind where it was not said."""
        return self.kind or (Kind.WORK_ORDER if self.work_order else Kind.CONSULTATION)


def service_end(served_at: datetime | None, registered_at: datetime) -> datetime:
    """Say when a service ended, from which its evaluation is waited for (6.4): not after it was registered."""
    return min(served_at or registered_at, registered_at)


@dataclass(frozen=True, slots=True)
class Standing:
    """A contact's outcome and the end of the call it came from."""

    outcome: str | None
    at: datetime | None


def contact_number(contact: str, registered_at: datetime) -> str:
    """Give the number people use: the civil date and ten digits of the contact's id (40 bits a day)."""
    return f"PJ{registered_at.astimezone(CIVIL_TIME):%Y%m%d}-{contact.replace('-', '')[-10:].upper()}"


def after_call(standing: Standing, outcome: str, ended_at: datetime) -> Standing:
    """Fold one call into a contact's outcome, whatever order calls are delivered in.

    Once rated, rated: a later silent call takes nothing back. Deemed after seven days gives way to a grade alone.
    Otherwise the call that ended last counts.
    """
    if standing.outcome == Outcome.RATED:
        later = outcome == Outcome.RATED and standing.at is not None and ended_at > standing.at
        return Standing(outcome, ended_at) if later else standing
    if standing.outcome == Outcome.DEEMED and outcome != Outcome.RATED:
        return standing
    if outcome == Outcome.RATED or standing.at is None or ended_at >= standing.at:
        return Standing(outcome, ended_at)
    return standing


def outcome_at(outcome: str | None, expires_at: datetime, now: datetime) -> str | None:
    """Give a contact's outcome as of now: still open, or never offered once its token has run out (4.7)."""
    return outcome if outcome or now < expires_at else Outcome.NOT_OFFERED
