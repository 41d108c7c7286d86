"""What every table is made of. Rule: times are UTC, ids are UUIDs as text, constraints have names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, DateTime, Dialect, Index, LargeBinary, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in, the same moment in UTC out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone: nobody could say later which moment it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the moment its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """How the ledger keeps a table's rows; all columns not named here are part of a row's digest."""

    sealed: frozenset[str] = frozenset()  # ciphertext: enters by its hash, so that it can be deleted later
    loose: frozenset[str] = frozenset()  # standing state and requests: outside the ledger, may be updated
    parts: Mapping[str, str] = field(default_factory=dict)  # child tables inside the digest: their column to this id


def kept(
    *, sealed: tuple[str, ...] = (), loose: tuple[str, ...] = (), parts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Give the table argument of a table whose rows are in the ledger; it needs a UUID `id` and no column defaults."""
    return {"info": {"ledger": Kept(frozenset(sealed), frozenset(loose), parts or {})}}


def still_sealed(field: str, moment: str, table: str) -> Index:
    """Give the index that finds the rows whose field has not been deleted yet, by their age."""
    where = text(f"{field} IS NOT NULL")
    return Index(f"ix_{table}_{field}_kept", moment, postgresql_where=where, sqlite_where=where)


Id = Annotated[str, mapped_column(Uuid(as_uuid=False))]
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    """Names every constraint, so that a later migration can name it too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own form
        datetime: UtcDateTime,
        str: Text,
        bytes: LargeBinary,
        dict[str, Any]: Json,
        list[str]: Json,
    }
