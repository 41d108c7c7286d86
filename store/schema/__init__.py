"""The tables, a file for each noun. Rule: a table is imported from here, so that all of them are known to Alembic."""

from store.schema.base import Base, Json, UtcDateTime
from store.schema.call import Answer, Call
from store.schema.contact import Contact
from store.schema.credential import ChannelCredential
from store.schema.evaluation import Evaluation

REVISION = "0001"  # the migration these tables agree with; a test compares both

__all__ = [
    "REVISION",
    "Answer",
    "Base",
    "Call",
    "ChannelCredential",
    "Contact",
    "Evaluation",
    "Json",
    "UtcDateTime",
]
