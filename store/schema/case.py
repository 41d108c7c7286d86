"""Cases, and what is recorded around them. Rule: files, events and records are inserted once; standing is their fold.

`case_standing` and `case_cycle` can be made anew from the events at any time: they are there to be found quickly.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.schema.base import Base, Id, kept, still_sealed


class CaseFile(Base):
    """The follow-up of one bad evaluation, with the deadlines it was opened with (8.1, 9.1, 9.3)."""

    __tablename__ = "case_file"
    __table_args__ = (Index("ix_case_file_opened_at_id", "opened_at", "id"), kept())

    id: Mapped[Id] = mapped_column(primary_key=True)
    evaluation: Mapped[Id] = mapped_column(ForeignKey("ballot.id"), unique=True)
    opened_at: Mapped[datetime]
    call_back_due: Mapped[datetime]
    rectify_due: Mapped[datetime]
    objection_until: Mapped[datetime]
    provisional: Mapped[bool]


class CaseEvent(Base):
    """One act on a case. Its state is the fold of its events by `store.case_transitions`."""

    __tablename__ = "case_event"
    __table_args__ = (
        UniqueConstraint("case", "seq"),
        still_sealed("note", "at", "case_event"),
        kept(sealed=("note",)),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    case: Mapped[Id] = mapped_column(ForeignKey("case_file.id"))
    seq: Mapped[int]  # 1, 2, 3 without a gap
    act: Mapped[str]
    actor: Mapped[str]
    role: Mapped[str]
    credential: Mapped[Id | None] = mapped_column(ForeignKey("channel_credential.id"))  # null: a command, or a job
    at: Mapped[datetime]
    note: Mapped[bytes | None]  # sealed, context: this row's id
    data: Mapped[dict[str, Any]]


class CaseStanding(Base):
    """Where a case stands now."""

    __tablename__ = "case_standing"
    __table_args__ = (
        Index("ix_case_standing_next_due", "next_due"),
        Index("ix_case_standing_wake_at", "wake_at"),
        Index("ix_case_standing_state", "state"),
    )

    case: Mapped[Id] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    seq: Mapped[int]  # of the last event
    cycle: Mapped[int]
    state: Mapped[str]
    objection: Mapped[str]
    adopted: Mapped[bool]
    provisional: Mapped[bool]  # a deadline rests on days nobody has published
    objection_until: Mapped[datetime]
    next_due: Mapped[datetime | None]
    wake_at: Mapped[datetime | None]  # when the next reminder is to be given
    changed_at: Mapped[datetime]


class CaseCycle(Base):
    """One round of work on a case, from a bad word to its end: what the timeliness figures count."""

    __tablename__ = "case_cycle"
    __table_args__ = (Index("ix_case_cycle_opened_at", "opened_at"),)

    case: Mapped[Id] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    cycle: Mapped[int] = mapped_column(primary_key=True)
    evaluation: Mapped[Id | None] = mapped_column(ForeignKey("ballot.id"), unique=True)  # null: a word on the phone
    opened_at: Mapped[datetime]
    call_back_due: Mapped[datetime]
    rectify_due: Mapped[datetime]
    called_back_at: Mapped[datetime | None]
    rectified_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    follow_up: Mapped[Id | None] = mapped_column(ForeignKey("follow_up.id"), unique=True)


class Attachment(Base):
    """A file that proves something; its sealed bytes lie in DATA_DIR/attachments under this row's id."""

    __tablename__ = "attachment"
    __table_args__ = (kept(),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    case: Mapped[Id] = mapped_column(ForeignKey("case_file.id"), index=True)
    sha256: Mapped[str]  # of the clear bytes
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    by: Mapped[str]
    at: Mapped[datetime]


class ObjectionRecord(Base):
    """The evaluated side's objection (9.3); its words are the event's note."""

    __tablename__ = "objection"
    __table_args__ = (UniqueConstraint("case", "cycle"), kept())

    id: Mapped[Id] = mapped_column(primary_key=True)
    case: Mapped[Id] = mapped_column(ForeignKey("case_file.id"))
    cycle: Mapped[int]
    event: Mapped[Id] = mapped_column(ForeignKey("case_event.id"))
    attachment: Mapped[Id | None] = mapped_column(ForeignKey("attachment.id"))
    by: Mapped[str]
    filed_at: Mapped[datetime]
    until: Mapped[datetime]  # the deadline as it stood then
    until_provisional: Mapped[bool]
    decide_due: Mapped[datetime]


class ReminderRecord(Base):
    """A reminder that was given."""

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("case", "cycle", "duty", "side", "due"),
        Index("ix_reminder_at_id", "at", "id"),
        CheckConstraint("side IN ('before', 'after')", name="side"),
        kept(),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    case: Mapped[Id] = mapped_column(ForeignKey("case_file.id"))
    cycle: Mapped[int]
    duty: Mapped[str]
    side: Mapped[str]
    to: Mapped[str]  # a role
    due: Mapped[datetime]
    at: Mapped[datetime]


class DepartmentWarning(Base):
    """A department's index was too low in a month (8.2), with all that the figure rests on."""

    __tablename__ = "department_warning"
    __table_args__ = (UniqueConstraint("department", "period_begins"), kept())

    id: Mapped[Id] = mapped_column(primary_key=True)
    department: Mapped[str]
    period_begins: Mapped[datetime]
    period_ends: Mapped[datetime]
    index_hundredths: Mapped[int]
    count: Mapped[int]
    definition: Mapped[dict[str, Any]]  # weights, threshold, minimum
    at: Mapped[datetime]


class Interview(Base):
    """An interview held because of a warning, and until when things are to be better (8.2)."""

    __tablename__ = "interview"
    __table_args__ = (kept(sealed=("note",)),)

    id: Mapped[Id] = mapped_column(primary_key=True)
    warning: Mapped[Id] = mapped_column(ForeignKey("department_warning.id"), index=True)
    by: Mapped[str]
    role: Mapped[str]
    note: Mapped[bytes]  # sealed, context: this row's id
    rectify_until: Mapped[datetime | None]
    at: Mapped[datetime]


class JobTurn(Base):
    """Whose turn a job is on a database that cannot skip locked rows, and when it was last done."""

    __tablename__ = "job_turn"

    job: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str | None]
    until: Mapped[datetime | None]  # a dead holder's turn ends by itself
    done_at: Mapped[datetime | None]
