"""Messages to other platforms, and how far the ledger was read for each."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)
WAITING = sa.text("status = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "export_message",
        sa.Column("id", ID, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row", ID, nullable=False),
        sa.Column("evaluation", ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("claim", ID, nullable=True),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("duplicate", sa.Boolean(), nullable=False),
        sa.Column("disclosed", sa.Text(), nullable=True),
        sa.Column("settled_at", TIME, nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'delivered', 'dead')", name=op.f("ck_export_message_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_message")),
        sa.UniqueConstraint("target", "kind", "row", name=op.f("uq_export_message_target_kind_row")),
    )
    op.create_index("ix_export_message_target_evaluation_seq", "export_message", ["target", "evaluation", "seq"])
    op.create_index(
        "ix_export_message_waiting",
        "export_message",
        ["target", "due_at"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_index("ix_export_message_target_subject", "export_message", ["target", "subject"])
    op.create_table(
        "export_mark",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_export_mark")),
    )


def downgrade() -> None:
    # what is to be sent is told by the ledger again, under the same ids
    op.drop_table("export_mark")
    op.drop_table("export_message")
