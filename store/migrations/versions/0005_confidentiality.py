"""Who looked at what is confidential, and indexes that find what retention deletes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)

# only rows that still hold something: a job that comes daily must not read ten million that hold nothing
SEALED = (
    ("ix_contact_caller_kept", "contact", "registered_at", "caller"),
    ("ix_call_caller_kept", "call", "recorded_at", "caller"),
    ("ix_evaluation_comment_kept", "evaluation", "recorded_at", "comment"),
    ("ix_case_event_note_kept", "case_event", "at", "note"),
)


def upgrade() -> None:
    op.create_table(
        "reveal",
        sa.Column("id", ID, nullable=False),
        sa.Column("contact", ID, nullable=True),
        sa.Column("call", ID, nullable=True),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("credential", ID, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint("(contact IS NULL) <> (call IS NULL)", name=op.f("ck_reveal_subject")),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_reveal_contact")),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("fk_reveal_call")),
        sa.ForeignKeyConstraint(["credential"], ["channel_credential.id"], name=op.f("fk_reveal_credential")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveal")),
    )
    op.create_index(op.f("ix_reveal_at_id"), "reveal", ["at", "id"])
    op.create_index(op.f("ix_reveal_contact"), "reveal", ["contact"])
    op.create_index(op.f("ix_reveal_call"), "reveal", ["call"])
    for name, table, column, field in SEALED:
        where = sa.text(f"{field} IS NOT NULL")
        op.create_index(name, table, [column], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    """Who looked is lost: take a copy of the table first."""
    for name, table, _column, _field in SEALED:
        op.drop_index(name, table_name=table)
    op.drop_table("reveal")
