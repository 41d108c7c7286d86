"""Rollups, published months, ballots beside evaluations, and evaluations by month on PostgreSQL."""

from datetime import date, datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)
CIVIL_TIME = timezone(timedelta(hours=8))

# SQLite's reflection gives no CHECK: they are said again where a table is made anew
GRADES = "grade IN ('very_satisfied', 'satisfied', 'basically_satisfied', 'dissatisfied', 'very_dissatisfied')"

# who points at an evaluation: from now on at its ballot, for a table of many partitions has no unique id to point at
POINTING = ("decision", "case_file", "case_cycle")


def checks() -> tuple[sa.CheckConstraint, ...]:
    return (
        sa.CheckConstraint(GRADES, name=op.f("ck_evaluation_grade")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_evaluation_round")),
    )


def upgrade() -> None:
    _figures()
    op.create_table(
        "ballot",
        sa.Column("id", ID, nullable=False),
        sa.Column("contact", ID, nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("deemed", sa.Boolean(), nullable=False),
        sa.Column("call", ID, nullable=True),
        sa.Column("form", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_ballot_contact")),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("fk_ballot_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
        sa.UniqueConstraint("contact", "round", "deemed", name=op.f("uq_ballot_contact_round_deemed")),
        sa.UniqueConstraint("call", name=op.f("uq_ballot_call")),
        sa.UniqueConstraint("form", name=op.f("uq_ballot_form")),
    )
    op.execute(
        "INSERT INTO ballot (id, contact, round, deemed, call, form)"
        " SELECT id, contact, round, deemed, call, form FROM evaluation"
    )
    _point_at("ballot")
    if op.get_bind().dialect.name == "postgresql":
        _by_month()
    else:
        _without_keys()


def _figures() -> None:
    op.create_table(
        "figure",
        sa.Column("cube", sa.Text(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "cube", "start", "department", "item", "operator", "channel", "measure", "grade", name=op.f("pk_figure")
        ),
    )
    op.create_index("ix_figure_cube_department_start", "figure", ["cube", "department", "start"])
    op.create_table(
        "figure_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_mark")),
    )
    op.execute("INSERT INTO figure_mark (id, seq) VALUES (1, 0)")
    op.create_table(
        "publication",
        sa.Column("id", ID, nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("table", JSON, nullable=False),
        sa.Column("published_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("month", name=op.f("uq_publication_month")),
    )


def _point_at(target: str) -> None:
    for name in POINTING:
        with op.batch_alter_table(name) as table:
            table.drop_constraint(op.f(f"fk_{name}_evaluation"), type_="foreignkey")
            table.create_foreign_key(op.f(f"fk_{name}_evaluation"), target, ["evaluation"], ["id"])


def _without_keys() -> None:
    """What must be unique is unique among ballots."""
    with op.batch_alter_table("evaluation", table_args=checks()) as table:
        for columns in ("contact_round_deemed", "call", "form"):
            table.drop_constraint(op.f(f"uq_evaluation_{columns}"), type_="unique")
        table.create_foreign_key(op.f("fk_evaluation_id"), "ballot", ["id"], ["id"])
        table.create_index(op.f("ix_evaluation_contact"), ["contact"])


def _by_month() -> None:
    op.execute("CREATE SCHEMA months")
    op.execute(
        "CREATE TABLE evaluation_by_month (LIKE evaluation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        " PARTITION BY RANGE (recorded_at)"
    )
    op.execute("CREATE TABLE months.evaluation_other PARTITION OF evaluation_by_month DEFAULT")
    first = op.get_bind().scalar(sa.text("SELECT min(recorded_at) FROM evaluation"))
    last = op.get_bind().scalar(sa.text("SELECT max(recorded_at) FROM evaluation"))
    if first is not None:
        for month in _months(first, last):
            op.execute(
                f"CREATE TABLE months.evaluation_{month:%Y_%m} PARTITION OF evaluation_by_month"
                f" FOR VALUES FROM ('{month} 00:00+08') TO ('{_following(month)} 00:00+08')"
            )
    op.execute("INSERT INTO evaluation_by_month SELECT * FROM evaluation")
    op.drop_table("evaluation")
    op.rename_table("evaluation_by_month", "evaluation")
    op.create_primary_key(op.f("pk_evaluation"), "evaluation", ["id", "recorded_at"])
    _references()
    op.create_foreign_key(op.f("fk_evaluation_id"), "evaluation", "ballot", ["id"], ["id"])
    op.create_index("ix_evaluation_recorded_at_id", "evaluation", ["recorded_at", "id"])
    op.create_index(op.f("ix_evaluation_contact"), "evaluation", ["contact"])


def _references() -> None:
    for column, target in (("contact", "contact"), ("call", "call"), ("credential", "channel_credential")):
        op.create_foreign_key(op.f(f"fk_evaluation_{column}"), "evaluation", target, [column], ["id"])


def _months(first: datetime, last: datetime) -> list[date]:
    month, found = first.astimezone(CIVIL_TIME).date().replace(day=1), []
    while month <= last.astimezone(CIVIL_TIME).date():
        found.append(month)
        month = _following(month)
    return found


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def downgrade() -> None:
    """One table of evaluations with its own keys again; rollups can be counted anew, published months are lost."""
    if op.get_bind().dialect.name == "postgresql":
        _one_table()
    else:
        with op.batch_alter_table("evaluation", table_args=checks()) as table:
            table.drop_index(op.f("ix_evaluation_contact"))
            table.drop_constraint(op.f("fk_evaluation_id"), type_="foreignkey")
            _own_keys(table)
    _point_at("evaluation")
    for name in ("ballot", "publication", "figure_mark", "figure"):
        op.drop_table(name)


def _one_table() -> None:
    op.execute("CREATE TABLE evaluation_whole (LIKE evaluation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    op.execute("INSERT INTO evaluation_whole SELECT * FROM evaluation")
    op.drop_table("evaluation")
    op.execute("DROP SCHEMA months CASCADE")
    op.rename_table("evaluation_whole", "evaluation")
    op.create_primary_key(op.f("pk_evaluation"), "evaluation", ["id"])
    _references()
    op.create_index("ix_evaluation_recorded_at_id", "evaluation", ["recorded_at", "id"])
    with op.batch_alter_table("evaluation") as table:
        _own_keys(table)


def _own_keys(table: object) -> None:
    table.create_unique_constraint(op.f("uq_evaluation_contact_round_deemed"), ["contact", "round", "deemed"])
    table.create_unique_constraint(op.f("uq_evaluation_call"), ["call"])
    table.create_unique_constraint(op.f("uq_evaluation_form"), ["form"])
