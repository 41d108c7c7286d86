"""Bodies and answers of the API, as the OpenAPI description shows them. Rule: unknown fields are refused by name."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from store.contact import Kind, NewContact
from store.grade import Grade

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{1,30}")


def _blank_is_absent(value: object) -> object:
    """Take a CTI's empty field for what it means."""
    return value.strip() or None if isinstance(value, str) else value


def _or_blank(words: Iterable[str]) -> WithJsonSchema:
    """Describe a choice that a CTI may leave empty."""
    return WithJsonSchema({"anyOf": [{"type": "string", "enum": [*map(str, words), ""]}, {"type": "null"}]})


def _printable(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("control_characters", "control characters are not allowed")
    return value


def _phone(value: str) -> str:
    if not _PHONE.fullmatch(value):
        raise PydanticCustomError("phone_number", "write a phone number")
    return value


def _in_living_memory(value: datetime) -> datetime:
    """Give it in UTC; a year nobody lives in would leave what a database can hold."""
    if not 1970 < value.year < 2200:
        raise PydanticCustomError("datetime_range", "no such time")
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_living_memory)]
Text = Annotated[
    Annotated[str, Field(max_length=200), AfterValidator(_printable)] | None, BeforeValidator(_blank_is_absent)
]
Phone = Annotated[
    Annotated[str, Field(max_length=32), AfterValidator(_phone)] | None, BeforeValidator(_blank_is_absent)
]


class ContactIn(BaseModel):
    """A finished service that owes an offer of evaluation. Every field may be left out."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[Kind | None, BeforeValidator(_blank_is_absent), _or_blank(Kind)] = Field(
        None, description="Derived from work_order if left out."
    )
    work_order: Text = Field(None, description="A consultation has none and gets a contact number of its own.")
    matter: Text = Field(None, description="What it was about.")
    item: Text = Field(None, description="Government service item.")
    operator: Text = Field(None, description="Who served.")
    department: Text = Field(None, description="The department evaluated.")
    desk: Text = Field(None, description="Window or agent's place.")
    platform: Text = Field(None, description="The system the service was given in.")
    area: Text = Field(None, description="Administrative division (GB/T 2260).")
    channel: Text = Field(None, description="Where the service was given.")
    caller: Phone = Field(None, description="The caller's number; stored encrypted.")
    language: Annotated[
        Literal["zh-CN", "en"] | None, BeforeValidator(_blank_is_absent), _or_blank(("zh-CN", "en"))
    ] = Field(None, description="Language to ask in.")
    served_at: Moment | None = Field(None, description="When the service ended, RFC 3339 with its zone.")

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind is Kind.WORK_ORDER and not self.work_order:
            raise PydanticCustomError("work_order_missing", "a contact of kind work_order needs a work_order")
        return self

    def contact(self) -> NewContact:
        """Give it to the store."""
        return NewContact(**dict(self))


class ContactOut(BaseModel):
    """What the caller is transferred with, and the link for those who hung up before."""

    id: str
    token: str
    transfer_uri: str
    evaluate_url: str
    expires_at: datetime
    number: str = Field(description="For people; a consultation has no other number.")


class CallOut(BaseModel):
    """One answered call of a contact."""

    call_id: str
    node: str
    answered_at: datetime
    ended_at: datetime
    ended_by: str
    outcome: str
    attempts: int


class ContactEvaluation(BaseModel):
    """One evaluation of a contact; the grade only for keys that may read grades (4.9)."""

    id: str
    channel: str
    round: int
    answered_at: datetime
    grade: Grade | None = None
    stars: int | None = None


class ContactStatus(BaseModel):
    """A contact and what became of it; `outcome` is null while it is open.

    The caller's number is masked, and null to keys that neither register nor reveal.
    """

    id: str
    number: str
    kind: Kind
    work_order: str | None
    matter: str | None
    item: str | None
    operator: str | None
    department: str | None
    desk: str | None
    platform: str | None
    area: str | None
    channel: str | None
    unknown_codes: list[str] = Field(description="Fields whose code no catalogue held when it was registered.")
    owed_until: datetime | None
    caller: str | None
    language: str | None
    served_at: datetime | None
    registered_at: datetime
    expires_at: datetime
    outcome: str | None
    calls: list[CallOut]
    evaluations: list[ContactEvaluation]


class PageIn(BaseModel):
    """Which rows: read on with the last row's time as `since`, which comes again as the first."""

    model_config = ConfigDict(extra="forbid")

    since: Moment | None = None
    limit: int = Field(100, ge=1, le=1000)


class EvaluationOut(BaseModel):
    """One evaluation. `call_id` is the SIP Call-ID or the vendor's."""

    id: str
    contact: str | None
    channel: str
    grade: Grade
    stars: int
    round: int
    deemed: bool
    adopted: bool
    match: str
    answered_at: datetime
    recorded_at: datetime
    key: str | None
    call_id: str | None


class EvaluationsOut(BaseModel):
    """Evaluations by the time they were recorded, oldest first."""

    evaluations: list[EvaluationOut]


class CallRecord(CallOut):
    """One call detail record, whatever came of the call."""

    flow: str
    flow_version: str
    started_at: datetime
    contact: str | None
    match: str


class CallsOut(BaseModel):
    """Calls by the time they were answered, oldest first."""

    calls: list[CallRecord]
