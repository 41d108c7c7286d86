"""The rollups and what was published. Rule: rollups can be counted anew at any time; what was published stays."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id, kept


class FigureCell(Base):
    """How often something was counted in one place: standing state, derived from the ledger up to the mark."""

    __tablename__ = "figure"
    __table_args__ = (Index("ix_figure_cube_department_start", "cube", "department", "start"),)

    cube: Mapped[str] = mapped_column(primary_key=True)  # which codes this rollup tells apart
    start: Mapped[date] = mapped_column(primary_key=True)  # civil day, or first day of a month
    department: Mapped[str] = mapped_column(primary_key=True)  # empty: unknown, or not told apart
    item: Mapped[str] = mapped_column(primary_key=True)
    operator: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    grade: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class FigureMark(Base):
    """Up to which ledger entry the rollups are counted: one row."""

    __tablename__ = "figure_mark"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)


class Publication(Base):
    """The public table of one month, as printed: suppressed, frozen, never revised."""

    __tablename__ = "publication"
    __table_args__ = (UniqueConstraint("month"), kept())

    id: Mapped[Id] = mapped_column(primary_key=True)
    month: Mapped[str]  # 2026-11
    table: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
