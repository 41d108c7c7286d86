"""The tables, a file for each noun. Rule: a table is imported from here, so that all of them are known to Alembic."""

from store.schema.base import Base, Id, Json, Kept, UtcDateTime, kept
from store.schema.call import Answer, Call
from store.schema.catalogue import CatalogueEntry
from store.schema.contact import Contact, FollowUp, Lease
from store.schema.credential import ChannelBucket, ChannelCredential, ChannelKey
from store.schema.evaluation import Decision, Evaluation
from store.schema.idempotency import AnsweredRequest
from store.schema.ledger import LedgerEntry, SealedChange

REVISION = "0002"  # the migration these tables agree with; a test compares both

__all__ = [
    "REVISION",
    "Answer",
    "AnsweredRequest",
    "Base",
    "Call",
    "CatalogueEntry",
    "ChannelBucket",
    "ChannelCredential",
    "ChannelKey",
    "Contact",
    "Decision",
    "Evaluation",
    "FollowUp",
    "Id",
    "Json",
    "Kept",
    "Lease",
    "LedgerEntry",
    "SealedChange",
    "UtcDateTime",
    "kept",
]
