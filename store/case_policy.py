"""What of the cases is a site's choice. Rule: what the public text leaves out is a choice here, never invented.

PURE.
"""

from dataclasses import dataclass, field
from datetime import datetime

from store.calendar import WorkCalendar
from store.case import Case, Deadlines, deadlines
from store.deadline import Deadline, working_days
from store.reminder import Ahead


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

    def recounted(self, case: Case, now: datetime) -> tuple[Deadlines, Deadline | None] | None:
        """Count a case's deadlines again; None where nothing has changed by what was published since.

        A deadline that turns out to be over already stays where people were told it was.
        """
        found, told = self.deadlines(case.received_at), case.deadlines
        due = Deadlines(
            _settled(found.call_back, told.call_back, now),
            _settled(found.rectify, told.rectify, now),
            _settled(found.objection, told.objection, now),
        )
        decision = case.objection.due
        if case.objection.at and decision:
            decision = _settled(self.decision_due(case.objection.at), decision, now)
        return None if (due, decision) == (told, case.objection.due) else (due, decision)


def _settled(found: Deadline, told: Deadline, now: datetime) -> Deadline:
    return found if found.at > now else Deadline(max(found.at, told.at), found.provisional)
