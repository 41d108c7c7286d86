"""The ledger: one entry for each row of a kept table, chained by a keyed hash. Rule: entries are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id, kept


class LedgerEntry(Base):
    """That a row was written, as what, and after which entry."""

    __tablename__ = "ledger"
    __table_args__ = (UniqueConstraint("row", "table_name"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # 1, 2, 3 without a gap
    table_name: Mapped[str]
    row: Mapped[Id]
    at: Mapped[datetime]
    digest: Mapped[bytes]  # of the row
    sealed: Mapped[dict[str, Any] | None]  # hash of each sealed field, for when its ciphertext is gone
    hash: Mapped[bytes]  # of this entry and the hash before it


class SealedChange(Base):
    """That a sealed field was sealed anew (another key) or really deleted (retention): its hash from now on."""

    __tablename__ = "sealed_change"
    __table_args__ = (kept(),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    row: Mapped[Id] = mapped_column(index=True)
    field: Mapped[str]
    hash: Mapped[str | None]  # of the new ciphertext; null: deleted
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
