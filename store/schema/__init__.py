"""The tables, a file for each noun. Rule: a table is imported from here, so that all of them are known to Alembic."""

from store.schema.base import Base, Id, Json, Kept, UtcDateTime, kept
from store.schema.call import Answer, Call
from store.schema.case import (
    Attachment,
    CaseCycle,
    CaseEvent,
    CaseFile,
    CaseStanding,
    DepartmentWarning,
    Interview,
    JobTurn,
    ObjectionRecord,
    ReminderRecord,
)
from store.schema.catalogue import CatalogueEntry
from store.schema.contact import Contact, FollowUp, Lease
from store.schema.credential import ChannelBucket, ChannelCredential, ChannelKey
from store.schema.evaluation import Ballot, Decision, Evaluation
from store.schema.export import ExportMark, ExportMessage
from store.schema.figure import FigureCell, FigureMark, Publication
from store.schema.idempotency import AnsweredRequest
from store.schema.ledger import LedgerEntry, SealedChange
from store.schema.reveal import Reveal

REVISION = "0006"  # the migration these tables agree with; a test compares both

__all__ = [
    "REVISION",
    "Answer",
    "AnsweredRequest",
    "Attachment",
    "Ballot",
    "Base",
    "Call",
    "CaseCycle",
    "CaseEvent",
    "CaseFile",
    "CaseStanding",
    "CatalogueEntry",
    "ChannelBucket",
    "ChannelCredential",
    "ChannelKey",
    "Contact",
    "Decision",
    "DepartmentWarning",
    "Evaluation",
    "ExportMark",
    "ExportMessage",
    "FigureCell",
    "FigureMark",
    "FollowUp",
    "Id",
    "Interview",
    "JobTurn",
    "Json",
    "Kept",
    "Lease",
    "LedgerEntry",
    "ObjectionRecord",
    "Publication",
    "ReminderRecord",
    "Reveal",
    "SealedChange",
    "UtcDateTime",
    "kept",
]
