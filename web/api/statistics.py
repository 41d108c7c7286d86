"""`GET /api/v1/statistics` for keys that may, and `/public/statistics` for everybody, from printed months alone."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Self

from apiflask import APIBlueprint
from flask import current_app, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from store.credential import Scope
from store.figures_answer import figures
from store.period import Days
from store.public_table import SAID
from store.publication import published
from store.statistics import By, Question
from web.api.fields import Text
from web.authentication import SECURITY, needs
from web.service import service

statistics = APIBlueprint("statistics", __name__, url_prefix="/api/v1", tag="statistics")

SHELF = "pingjia-published"
FRESH = timedelta(minutes=5)


def _parts(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class StatisticsIn(BaseModel):
    """Which figures: of which civil days, told apart by what, of which department, item, operator or channel."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[tuple[By, ...], BeforeValidator(_parts)] = Field(
        (), description="Comma list of day, month, department, item, operator, channel."
    )
    since: date | None = Field(None, description="From this civil day on (Asia/Shanghai).")
    until: date | None = Field(None, description="Up to and without this civil day.")
    department: Text = None
    item: Text = None
    operator: Text = None
    channel: Text = None

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if len(set(self.by)) < len(self.by) or {By.DAY, By.MONTH} <= set(self.by):
            raise PydanticCustomError("by", "by: name each once, and one of day and month")
        if Days(self.since, self.until).empty:
            raise PydanticCustomError("since", "since is not before until: no day lies between them")
        return self

    def question(self) -> Question:
        """Give it to the store."""
        named = {by: getattr(self, str(by)) for by in (By.DEPARTMENT, By.ITEM, By.OPERATOR, By.CHANNEL)}
        return Question(Days(self.since, self.until), self.by, {by: code for by, code in named.items() if code})


class StatisticsOut(BaseModel):
    """Counts and figures of the whole and of each group; `value`: a share of 1, of the index a mean of weights."""

    question: dict[str, Any]
    total: dict[str, Any]
    groups: list[dict[str, Any]]
    definitions: dict[str, dict[str, str]]
    counted: dict[str, dict[str, str]]


class NothingIn(BaseModel):
    """Takes no filter: what two filters have apart could be one person."""

    model_config = ConfigDict(extra="forbid")


class PrintedMonth(BaseModel):
    """One month as it was printed; null: a count of 1 to 10, or one from which such a count could be worked out."""

    month: str
    published_at: datetime
    departments: list[dict[str, Any]]
    all: dict[str, Any]
    bad_cases: dict[str, int | None]


class PublicOut(BaseModel):
    """Every printed month. A month is printed once, some days after its end, and never revised."""

    months: list[PrintedMonth]
    published_after_days: int
    definitions: dict[str, dict[str, str]]


@statistics.get("/statistics")
@statistics.doc(summary="Figures with their definitions and their doubt", security=SECURITY, responses=[401, 403, 503])
@needs(Scope.STATISTICS_READ)
@statistics.input(StatisticsIn, location="query", arg_name="asked")
@statistics.output(StatisticsOut)
def statistics_(asked: StatisticsIn) -> ResponseReturnValue:
    """Answer for a selection; operators with few evaluations have no rates."""
    here = service()
    return figures(here.engine, asked.question(), here.clock(), here.manner)


@statistics.get("/public/statistics")
@statistics.doc(summary="Published months, for everybody", responses=[503])
@statistics.input(NothingIn, location="query", arg_name="_nothing")
@statistics.output(PublicOut)
def public_statistics(_nothing: NothingIn) -> ResponseReturnValue:
    """Give the printed months: departments by what came of each contact, small counts and their like left out."""
    answer = jsonify(_shelved())
    answer.headers["Cache-Control"] = f"public, max-age={int(FRESH.total_seconds())}"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _shelved() -> dict[str, Any]:
    """Keep the answer for a while: anybody may ask, as often as they like."""
    here = service()
    now = here.clock()
    taken, body = current_app.extensions.get(SHELF, (None, {}))
    if taken is None or not taken <= now < taken + FRESH:
        body = _published()
        current_app.extensions[SHELF] = (now, body)
    return dict(body)


def _published() -> dict[str, Any]:
    here = service()
    return {
        "months": [
            {"month": month.month, "published_at": month.published_at.isoformat(), **month.table}
            for month in published(here.engine)
        ],
        "published_after_days": here.publish_after_days,
        "definitions": {name: {"zh": zh, "en": en} for name, (zh, en) in SAID.items()},
    }
