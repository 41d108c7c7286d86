"""Bodies and answers around ballots: evaluations, leases, imports. Rule: unknown fields are refused by name."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from store.grade import Grade
from web.api.fields import Moment, Text, _blank_is_absent, _printable

LONGEST_COMMENT = 2000
LINE_BREAKS = str.maketrans("\r\n\t", "   ")


def _lines(value: str) -> str:
    """Take text of several lines, and no character that moves a reader's cursor."""
    if not value.translate(LINE_BREAKS).isprintable():
        raise PydanticCustomError("control_characters", "control characters are not allowed")
    return value


Comment = Annotated[
    Annotated[str, Field(max_length=LONGEST_COMMENT), AfterValidator(_lines)] | None, BeforeValidator(_blank_is_absent)
]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]


class EvaluationIn(BaseModel):
    """What a citizen gave. The channel is the key's; the time that counts is the server's."""

    model_config = ConfigDict(extra="forbid")

    contact: Name = Field(description="The contact's id, or its token.")
    grade: Grade = Field(description="By name: a digit means opposite things in two codes.")
    tags: list[Name] = Field(default_factory=list, max_length=20, description="Codes that belong to the grade.")
    comment: Comment = Field(None, description="Stored encrypted.")
    answered_at: Moment | None = Field(None, description="By the channel's clock: kept as a claim.")
    device: Text = Field(None, description="Which window device, terminal or browser.")
    round: int | None = Field(None, ge=1, le=99, description="2 for a second evaluation of one's own accord.")


class EvaluationGiven(BaseModel):
    """The evaluation as stored."""

    id: str
    contact: str
    channel: str
    grade: Grade
    stars: int
    round: int
    tags: list[str]
    claimed_at: datetime | None = Field(description="The channel's answered_at.")
    answered_at: datetime
    recorded_at: datetime


class LeaseIn(BaseModel):
    """How long the asking will take."""

    model_config = ConfigDict(extra="forbid")

    seconds: int = Field(900, ge=10, le=86400)


class LeaseOut(BaseModel):
    """Whose turn it is to ask, and until when."""

    contact: str
    channel: str
    until: datetime


class FormLine(BaseModel):
    """What became of one line of an import."""

    line: int
    form: str | None
    verdict: str = Field(description="stored, or already if this form was imported before.")
    evaluation: str | None


class ImportOut(BaseModel):
    """A whole import; one that has a line it cannot take imports nothing and is answered 422."""

    stored: int
    already: int
    lines: list[FormLine]
