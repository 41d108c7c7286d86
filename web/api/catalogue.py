"""`/api/v1/catalogue/{kind}`: departments, items, desks, operators, platforms from the systems that know them."""

from dataclasses import asdict
from typing import Self

from apiflask import APIBlueprint
from flask import abort, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from store import catalogue as store
from store.catalogue import Entry, Kind
from store.credential import Scope
from store.database import reading, writing
from web.api.ballot_fields import Name
from web.api.fields import Text
from web.authentication import SECURITY, caller, needs
from web.service import service

catalogue = APIBlueprint("catalogue", __name__, url_prefix="/api/v1", tag="catalogue")

LARGEST_BODY = 8 * 1024 * 1024


class EntryIn(BaseModel):
    """One entry; what an export target needs beside goes into `attributes`."""

    model_config = ConfigDict(extra="forbid")

    code: Name
    name: Name
    department: Text = Field(None, description="Code of the department it belongs to.")
    area: Text = Field(None, description="Administrative division (GB/T 2260).")
    attributes: dict[Name, Name] = Field(default_factory=dict, max_length=50)


class CatalogueIn(BaseModel):
    """A catalogue. If it is complete, entries it does not name are withdrawn; none is ever deleted."""

    model_config = ConfigDict(extra="forbid")

    complete: bool = True
    entries: list[EntryIn] = Field(min_length=1, max_length=50_000)

    @model_validator(mode="after")
    def _codes_differ(self) -> Self:
        codes = [entry.code for entry in self.entries]
        if len(set(codes)) != len(codes):
            raise PydanticCustomError("code_twice", "a code stands there twice")
        return self


class SynchronisedOut(BaseModel):
    """What changed."""

    added: int
    changed: int
    withdrawn: int
    unchanged: int


class EntryOut(BaseModel):
    """The version of an entry that holds now."""

    code: str
    name: str
    department: str | None
    area: str | None
    attributes: dict[str, str]
    version: int
    active: bool = Field(description="False: withdrawn.")


class CatalogueOut(BaseModel):
    """A catalogue as it is now, by code."""

    entries: list[EntryOut]


def _kind(text: str) -> Kind:
    if text not in set(Kind):
        abort(404)
    return Kind(text)


@catalogue.before_request
def _take_large_bodies() -> None:
    request.max_content_length = LARGEST_BODY


@catalogue.put("/catalogue/<kind>")
@catalogue.doc(summary="Synchronise a catalogue", security=SECURITY, responses=[401, 403, 404, 413, 415, 429, 503])
@needs(Scope.CATALOGUE_WRITE)
@catalogue.input(CatalogueIn, arg_name="body")
@catalogue.output(SynchronisedOut)
def put(kind: str, body: CatalogueIn) -> ResponseReturnValue:
    """Bring a catalogue to what this body says, wholly or not at all; changes are new versions."""
    here = service()
    entries = [Entry(**entry.model_dump()) for entry in body.entries]
    wanted = _kind(kind)
    with writing(here.engine) as connection:
        done = store.synchronise(
            connection,
            here.keys,
            wanted,
            entries,
            complete=body.complete,
            now=here.clock(),
            credential=caller().id,
        )
    return asdict(done)


@catalogue.get("/catalogue/<kind>")
@catalogue.doc(summary="Read a catalogue", security=SECURITY, responses=[401, 403, 404, 429, 503])
@needs(Scope.CATALOGUE_READ)
@catalogue.output(CatalogueOut)
def show(kind: str) -> ResponseReturnValue:
    """Give the versions that hold now, withdrawn ones too."""
    wanted = _kind(kind)
    with reading(service().engine) as connection:
        rows = [dict(row) for row in connection.execute(store.current(wanted)).mappings()]
    return {"entries": rows}
