"""What of the cases is a site's choice. Rule: what the public text leaves out is a choice here, never invented.

PURE.
"""

from dataclasses import dataclass, field
from datetime import datetime

from store.calendar import WorkCalendar
from store.case import Case, Deadlines, deadlines
from store.deadline import Deadline, working_days
from store.reminder import Ahead, next_due, reminders


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the cases, as the composition root reads them."""

    calendar: WorkCalendar = field(default_factory=WorkCalendar)
    roll: bool = False  # a 15th day that is not worked rolls to the next worked one
    ahead: Ahead = field(default_factory=Ahead)
    decision_days: int = 5  # working days to decide an objection: the end of 9.3 is not public

    def deadlines(self, received_at: datetime) -> Deadlines:
        """Count the deadlines of one cycle."""
        return deadlines(received_at, self.calendar, roll=self.roll)

    def decision_due(self, filed_at: datetime) -> Deadline:
        """Say until when an objection is to be decided."""
        return working_days(filed_at, self.decision_days, self.calendar)

    def wake_at(self, case: Case, given: frozenset[tuple[str, str, datetime]] = frozenset()) -> datetime | None:
        """Say when the next reminder of a case is to be given; `given`: (duty, when, due) of those that were."""
        ahead = (each.at for each in reminders(case, self.ahead) if (each.duty, each.when, each.due) not in given)
        return min(ahead, default=None)

    def next_due(self, case: Case) -> datetime | None:
        """Give the earliest deadline that somebody still has to meet."""
        return next_due(case)

    def recounted(self, case: Case) -> tuple[Deadlines, Deadline | None] | None:
        """Count a case's deadlines again; None where nothing has changed by what was published since."""
        found = self.deadlines(case.received_at)
        objection = case.objection
        decision = self.decision_due(objection.at) if objection.at and objection.due else None
        if (found, decision) == (case.deadlines, objection.due):
            return None
        return found, decision
