"""The first schema: contacts, calls, answers, evaluations, channel credentials."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_credential",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_credential")),
        sa.UniqueConstraint("name", name=op.f("uq_channel_credential_name")),
        sa.UniqueConstraint("prefix", name=op.f("uq_channel_credential_prefix")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("work_order", sa.Text(), nullable=True),
        sa.Column("matter", sa.Text(), nullable=True),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("caller", sa.LargeBinary(), nullable=True),
        sa.Column("caller_index", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("credential", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["credential"], ["channel_credential.id"], name=op.f("fk_contact_credential")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("credential", "idempotency_key", name=op.f("uq_contact_credential_idempotency_key")),
        sa.UniqueConstraint("number", name=op.f("uq_contact_number")),
    )
    op.create_index(op.f("ix_contact_caller_index"), "contact", ["caller_index"], unique=False)
    op.create_index(op.f("ix_contact_registered_at"), "contact", ["registered_at"], unique=False)
    op.create_index(op.f("ix_contact_work_order"), "contact", ["work_order"], unique=False)
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("flow_version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("contact", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("claimed_contact", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("caller", sa.LargeBinary(), nullable=True),
        sa.Column("trunk", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_call_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index(op.f("ix_call_answered_at"), "call", ["answered_at"], unique=False)
    op.create_index(op.f("ix_call_call_id"), "call", ["call_id"], unique=False)
    op.create_index(op.f("ix_call_contact"), "call", ["contact"], unique=False)
    op.create_table(
        "answer",
        sa.Column("call", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("fk_answer_call")),
        sa.PrimaryKeyConstraint("call", "question", name=op.f("pk_answer")),
    )
    op.create_table(
        "evaluation",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("contact", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("deemed", sa.Boolean(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("call", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("flow", sa.Text(), nullable=True),
        sa.Column("flow_version", sa.Text(), nullable=True),
        sa.Column("evidence", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "grade IN ('very_satisfied', 'satisfied', 'basically_satisfied', 'dissatisfied', 'very_dissatisfied')", name=op.f("ck_evaluation_grade")
        ),
        sa.CheckConstraint("round >= 1", name=op.f("ck_evaluation_round")),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("fk_evaluation_call")),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_evaluation_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
        sa.UniqueConstraint("call", name=op.f("uq_evaluation_call")),
        sa.UniqueConstraint("contact", "round", name=op.f("uq_evaluation_contact_round")),
    )
    op.create_index("ix_evaluation_recorded_at_id", "evaluation", ["recorded_at", "id"], unique=False)
