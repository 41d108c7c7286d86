"""Departments, service items, desks, operators, platforms. Rule: a change is a new version; nothing is deleted."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id, kept


class CatalogueEntry(Base):
    """One version of one entry; the highest version of a code is the one that holds now."""

    __tablename__ = "catalogue_entry"
    __table_args__ = (UniqueConstraint("kind", "code", "version"), kept())

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[str]
    code: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    department: Mapped[str | None]  # code of the department an item, a desk or an operator belongs to
    area: Mapped[str | None]  # administrative division (GB/T 2260 code)
    active: Mapped[bool]  # False: withdrawn; what names it stays readable
    attributes: Mapped[dict[str, Any]]  # what an export target needs beside
    recorded_at: Mapped[datetime]
    credential: Mapped[Id | None] = mapped_column(ForeignKey("channel_credential.id"))  # null: by command
