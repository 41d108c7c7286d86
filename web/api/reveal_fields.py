"""The fields of a look at what is confidential."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from store.reveal import LONGEST_REASON, Confidential
from web.api.fields import _printable

Words = Annotated[str, Field(min_length=1, pattern=r"\S"), AfterValidator(_printable)]


class RevealIn(BaseModel):
    """Who looks at what, and why; kept for ever."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Words, Field(max_length=LONGEST_REASON)]
    by: Annotated[Words, Field(max_length=100)] = Field(description="The person, as the case team knows them.")
    fields: set[Confidential] = Field({Confidential.CALLER}, min_length=1)


class CommentOut(BaseModel):
    """The words of one evaluation."""

    evaluation: str
    comment: str


class RevealOut(BaseModel):
    """What was asked for, in clear; null or empty where there is nothing (any more)."""

    reveal: str
    contact: str | None
    call: str | None
    caller: str | None
    comments: list[CommentOut]
