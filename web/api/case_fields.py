"""Bodies and answers around cases. Rule: unknown fields are refused by name; who the evaluator is stands in none."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Base64Bytes, BaseModel, BeforeValidator, ConfigDict, Field

from store.case import Act, Reason, Role, State
from store.case_act import LONGEST_NOTE
from store.case_transitions import TRANSITIONS
from store.grade import Grade
from web.api.ballot_fields import Name, _lines
from web.api.fields import Moment, PageIn, _blank_is_absent, _printable


class ActingRole(StrEnum):
    """As whom somebody may act."""

    CASE_TEAM = Role.CASE_TEAM
    DEPARTMENT = Role.DEPARTMENT
    REVIEWER = Role.REVIEWER


_POSSIBLE = {act for (_, act), move in TRANSITIONS.items() if move.roles & {Role(role) for role in ActingRole}}
PersonsAct = StrEnum("PersonsAct", {act.name: act.value for act in Act if act in _POSSIBLE})  # type: ignore[misc]

Person = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
Note = Annotated[
    Annotated[str, Field(max_length=LONGEST_NOTE), AfterValidator(_lines)] | None, BeforeValidator(_blank_is_absent)
]


class CasesIn(PageIn):
    """Which cases; with `due`, those with something due by then, the most urgent first."""

    state: State | None = None
    due: Moment | None = None
    department: Name | None = None


class CaseOut(BaseModel):
    """A case; times are those of its current cycle, `due` is what is due next, `seq` the case as seen."""

    id: str
    state: State
    due: datetime | None
    late: bool
    grade: Grade
    contact: str | None
    department: str | None
    item: str | None
    channel: str
    opened_at: datetime
    call_back_due: datetime
    called_back_at: datetime | None
    rectify_due: datetime
    rectified_at: datetime | None
    objection: str
    objection_until: datetime
    provisional: bool = Field(description="A deadline rests on days nobody has published yet; it refuses nobody.")
    closed_at: datetime | None
    adopted: bool
    cycle: int
    seq: int
    evaluation: str
    match: str


class CasesOut(BaseModel):
    """Cases by when they were opened, oldest first."""

    cases: list[CaseOut]


class EventOut(BaseModel):
    """One step; `note` is null where there is none or the key may not read it."""

    seq: int
    at: datetime
    act: Act
    actor: str
    role: Role
    note: str | None
    data: dict[str, Any]


class AttachmentOut(BaseModel):
    """A file kept as evidence."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    by: str
    at: datetime


class ReminderOut(BaseModel):
    """A reminder that was given; `side`: before or after the deadline."""

    case: str
    duty: str
    side: str
    to: Role
    due: datetime
    at: datetime


class FollowUpOut(BaseModel):
    """A round offered to the evaluator after rectification."""

    contact: str
    round: int
    opened_at: datetime
    owed_until: datetime


class CaseDetailsOut(BaseModel):
    """A case with its whole history."""

    case: CaseOut
    events: list[EventOut]
    attachments: list[AttachmentOut]
    reminders: list[ReminderOut]
    follow_ups: list[FollowUpOut]


class EventIn(BaseModel):
    """What somebody does to a case. The role is the key's; the person is believed of whoever holds the key."""

    model_config = ConfigDict(extra="forbid")

    act: PersonsAct
    actor: Person = Field(description="Who acts.")
    role: ActingRole | None = Field(None, description="For a key of several roles: as which.")
    note: Note = Field(None, description="What was found or done; stored encrypted.")
    reason: Reason | None = Field(None, description="Why an evaluation is not to be adopted (9.2).")
    evidence: UUID | None = Field(None, description="The id of an attachment of this case.")
    seq: int | None = Field(None, ge=1, le=2**31 - 1, description="The case as seen: refused if somebody was faster.")


class AttachmentIn(BaseModel):
    """A file of evidence: PDF, PNG, JPEG, DOCX or WAV."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    by: Person = Field(description="Who attaches it.")
    content: Base64Bytes = Field(min_length=1, description="Base64.")


class RemindersOut(BaseModel):
    """Reminders from a moment on, oldest first."""

    reminders: list[ReminderOut]


class WarningOut(BaseModel):
    """A department whose index was low in a month, with all that the figure rests on."""

    id: str
    department: str
    period_begins: datetime
    period_ends: datetime
    index: float
    count: int
    threshold: float
    minimum: int
    at: datetime
    interviews: int


class WarningsOut(BaseModel):
    """Warnings by when they were given, oldest first."""

    warnings: list[WarningOut]


class InterviewIn(BaseModel):
    """An interview held because of a warning (8.2)."""

    model_config = ConfigDict(extra="forbid")

    actor: Person
    role: ActingRole | None = Field(None, description="For a key of several roles: as which.")
    note: Annotated[str, Field(min_length=1, max_length=LONGEST_NOTE), AfterValidator(_lines)]
    rectify_until: Moment | None = None


class InterviewOut(BaseModel):
    """An interview as recorded."""

    id: str
    warning: str
    by: str
    role: Role
    note: str
    rectify_until: datetime | None
    at: datetime
