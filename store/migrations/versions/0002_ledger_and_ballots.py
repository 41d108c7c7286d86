"""The ledger, catalogues, one ballot per contact, keys that can be changed over."""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)

# SQLite's reflection gives no CHECK: they are said again where a table is made anew
GRADES = "grade IN ('very_satisfied', 'satisfied', 'basically_satisfied', 'dissatisfied', 'very_dissatisfied')"

CODES = ("desk", "platform", "area")


def checks() -> tuple[sa.CheckConstraint, ...]:
    return (
        sa.CheckConstraint(GRADES, name=op.f("ck_evaluation_grade")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_evaluation_round")),
    )


def upgrade() -> None:
    _keys()
    _contacts()
    _catalogue()
    _evaluations()
    _ledger()


def _keys() -> None:
    op.create_table(
        "channel_key",
        sa.Column("id", ID, nullable=False),
        sa.Column("credential", ID, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["credential"], ["channel_credential.id"], name=op.f("fk_channel_key_credential")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_channel_key_prefix")),
    )
    op.create_index(op.f("ix_channel_key_credential"), "channel_key", ["credential"])
    # the first key of a channel takes over the channel's id: nothing else in SQL makes one on both databases
    op.execute(
        "INSERT INTO channel_key (id, credential, prefix, key_hmac, created_at)"
        " SELECT id, id, prefix, key_hmac, created_at FROM channel_credential"
    )
    with op.batch_alter_table("channel_credential") as table:
        table.drop_constraint(op.f("uq_channel_credential_prefix"), type_="unique")
        table.drop_column("prefix")
        table.drop_column("key_hmac")
        table.add_column(sa.Column("per_minute", sa.Integer(), nullable=True))
    op.create_table(
        "channel_bucket",
        sa.Column("credential", ID, nullable=False),
        sa.Column("busy_until", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["credential"], ["channel_credential.id"], name=op.f("fk_channel_bucket_credential")),
        sa.PrimaryKeyConstraint("credential", name=op.f("pk_channel_bucket")),
    )
    op.create_table(
        "answered_request",
        sa.Column("credential", ID, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("evaluation", ID, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["credential"], ["channel_credential.id"], name=op.f("fk_answered_request_credential")),
        sa.PrimaryKeyConstraint("credential", "idempotency_key", name=op.f("pk_answered_request")),
    )
    op.create_index(op.f("ix_answered_request_at"), "answered_request", ["at"])


def _contacts() -> None:
    for name in (*CODES, "channel"):
        op.add_column("contact", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("contact", sa.Column("unknown_codes", JSON, nullable=True))
    op.add_column("contact", sa.Column("owed_until", TIME, nullable=True))
    op.create_index(op.f("ix_contact_owed_until"), "contact", ["owed_until"])
    op.create_table(
        "lease",
        sa.Column("contact", ID, nullable=False),
        sa.Column("credential", ID, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_lease_contact")),
        sa.ForeignKeyConstraint(["credential"], ["channel_credential.id"], name=op.f("fk_lease_credential")),
        sa.PrimaryKeyConstraint("contact", name=op.f("pk_lease")),
    )
    op.create_table(
        "follow_up",
        sa.Column("id", ID, nullable=False),
        sa.Column("contact", ID, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("owed_until", TIME, nullable=False),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_follow_up_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        sa.UniqueConstraint("contact", "round", name=op.f("uq_follow_up_contact_round")),
    )


def _catalogue() -> None:
    op.create_table(
        "catalogue_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("credential", ID, nullable=True),
        sa.ForeignKeyConstraint(["credential"], ["channel_credential.id"], name=op.f("fk_catalogue_entry_credential")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_entry")),
        sa.UniqueConstraint("kind", "code", "version", name=op.f("uq_catalogue_entry_kind_code_version")),
    )


def _evaluations() -> None:
    op.create_table(
        "decision",
        sa.Column("id", ID, nullable=False),
        sa.Column("evaluation", ID, nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["evaluation"], ["evaluation.id"], name=op.f("fk_decision_evaluation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_evaluation_at_id", "decision", ["evaluation", "at", "id"])
    evaluation = sa.table("evaluation", sa.column("id", ID), sa.column("adopted", sa.Boolean()), sa.column("recorded_at", TIME))
    decision = sa.table(
        "decision", sa.column("id", ID), sa.column("evaluation", ID), sa.column("adopted", sa.Boolean()),
        sa.column("reason"), sa.column("evidence", JSON), sa.column("by"), sa.column("at", TIME),
    )
    for row in op.get_bind().execute(sa.select(evaluation).where(sa.not_(evaluation.c.adopted))).all():
        op.execute(decision.insert().values(
            id=str(uuid.uuid4()), evaluation=row.id, adopted=False, reason="as stored by schema 0001", evidence={},
            by="migration", at=row.recorded_at,
        ))
    with op.batch_alter_table("evaluation", table_args=checks()) as table:
        table.drop_column("adopted")
        table.add_column(sa.Column("tags", JSON, nullable=True))
        for name in ("tag_table", "recording", "device", "form", "department", "item", "operator", *CODES):
            table.add_column(sa.Column(name, sa.Text(), nullable=True))
        table.add_column(sa.Column("comment", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("credential", ID, nullable=True))
        table.add_column(sa.Column("unknown_codes", JSON, nullable=True))
        table.add_column(sa.Column("claimed_at", TIME, nullable=True))
        table.create_unique_constraint(op.f("uq_evaluation_form"), ["form"])
        table.create_foreign_key(op.f("fk_evaluation_credential"), "channel_credential", ["credential"], ["id"])
    op.execute("UPDATE evaluation SET tags = '[]'")
    for name in ("department", "item", "operator"):
        op.execute(f"UPDATE evaluation SET {name} = (SELECT contact.{name} FROM contact WHERE contact.id = evaluation.contact)")
    with op.batch_alter_table("evaluation", table_args=checks()) as table:
        table.alter_column("tags", existing_type=JSON, nullable=False)


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", JSON, nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
        sa.UniqueConstraint("row", "table_name", name=op.f("uq_ledger_row_table_name")),
    )
    op.create_table(
        "sealed_change",
        sa.Column("id", ID, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row", ID, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_change")),
    )
    op.create_index(op.f("ix_sealed_change_row"), "sealed_change", ["row"])


def downgrade() -> None:
    """Back to one key per channel and no ledger: what 0001 cannot hold is lost, what it held is whole."""
    for name in ("sealed_change", "ledger"):
        op.drop_table(name)
    with op.batch_alter_table("evaluation", table_args=checks()) as table:
        table.add_column(sa.Column("adopted", sa.Boolean(), nullable=True))
    op.execute(
        "UPDATE evaluation SET adopted = coalesce((SELECT decision.adopted FROM decision WHERE decision.evaluation ="
        " evaluation.id ORDER BY decision.at DESC, decision.id DESC LIMIT 1), true)"
    )
    op.drop_table("decision")
    with op.batch_alter_table("evaluation", table_args=checks()) as table:
        table.alter_column("adopted", existing_type=sa.Boolean(), nullable=False)
        table.drop_constraint(op.f("fk_evaluation_credential"), type_="foreignkey")
        table.drop_constraint(op.f("uq_evaluation_form"), type_="unique")
        for name in (
            "tags", "tag_table", "comment", "recording", "device", "form", "credential", "department", "item",
            "operator", *CODES, "unknown_codes", "claimed_at",
        ):
            table.drop_column(name)
    for name in ("catalogue_entry", "follow_up", "lease", "answered_request", "channel_bucket"):
        op.drop_table(name)
    op.drop_index(op.f("ix_contact_owed_until"), "contact")
    for name in (*CODES, "channel", "unknown_codes", "owed_until"):
        op.drop_column("contact", name)
    _one_key_again()


def _one_key_again() -> None:
    with op.batch_alter_table("channel_credential") as table:
        table.add_column(sa.Column("prefix", sa.Text(), nullable=True))
        table.add_column(sa.Column("key_hmac", sa.LargeBinary(), nullable=True))
        table.drop_column("per_minute")
    newest = (
        "SELECT channel_key.{} FROM channel_key WHERE channel_key.credential = channel_credential.id"
        " ORDER BY channel_key.created_at DESC, channel_key.id LIMIT 1"
    )
    op.execute(
        f"UPDATE channel_credential SET prefix = ({newest.format('prefix')}), key_hmac = ({newest.format('key_hmac')})"
    )
    with op.batch_alter_table("channel_credential") as table:
        table.alter_column("prefix", existing_type=sa.Text(), nullable=False)
        table.alter_column("key_hmac", existing_type=sa.LargeBinary(), nullable=False)
        table.create_unique_constraint(op.f("uq_channel_credential_prefix"), ["prefix"])
    op.drop_table("channel_key")
