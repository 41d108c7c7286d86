"""Cases and what is recorded around them; a deemed evaluation takes nobody's ballot away."""

import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
ID = sa.Uuid(as_uuid=False)
TIME = sa.DateTime(timezone=True)
CIVIL_TIME = datetime.timezone(datetime.timedelta(hours=8))

TABLES = ('case_file', 'case_event', 'case_standing', 'case_cycle', 'attachment', 'objection', 'reminder', 'department_warning', 'interview', 'job_turn')

GRADES = "grade IN ('very_satisfied', 'satisfied', 'basically_satisfied', 'dissatisfied', 'very_dissatisfied')"
UNDECIDED = sa.text("outcome IS NULL OR outcome NOT IN ('rated', 'deemed')")
UNANSWERED = sa.text("outcome IS NULL")


def checks() -> tuple[sa.CheckConstraint, ...]:
    return (
        sa.CheckConstraint(GRADES, name=op.f("ck_evaluation_grade")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_evaluation_round")),
    )


def upgrade() -> None:
    with op.batch_alter_table("evaluation", table_args=checks()) as table:
        table.drop_constraint(op.f("uq_evaluation_contact_round"), type_="unique")
        table.create_unique_constraint(op.f("uq_evaluation_contact_round_deemed"), ["contact", "round", "deemed"])
    for name, column, where in _CONTACT_INDEXES:
        op.create_index(name, "contact", [column], postgresql_where=where, sqlite_where=where)
    _wait_for_old_contacts()
    _tables()


def _wait_for_old_contacts() -> None:
    """Contacts of 0001 knew no end of their seven days (6.4): the end of the 7th civil day, the first not counted."""
    contact = sa.table(
        "contact", sa.column("id", ID), sa.column("served_at", TIME), sa.column("registered_at", TIME),
        sa.column("owed_until", TIME),
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(contact).where(contact.c.owed_until.is_(None))).all()
    changed = contact.update().where(contact.c.id == sa.bindparam("name")).values(owed_until=sa.bindparam("until"))
    for row in rows:
        end = min(row.served_at or row.registered_at, row.registered_at)
        aware = end if end.tzinfo else end.replace(tzinfo=datetime.timezone.utc)
        last = aware.astimezone(CIVIL_TIME).date() + datetime.timedelta(days=7)
        until = datetime.datetime.combine(last, datetime.time.max, CIVIL_TIME).astimezone(datetime.timezone.utc)
        # SQLite keeps UTC without saying so
        connection.execute(changed, {"name": row.id, "until": until if end.tzinfo else until.replace(tzinfo=None)})


_CONTACT_INDEXES = (
    ("ix_contact_undecided", "owed_until", UNDECIDED),
    ("ix_contact_unanswered", "expires_at", UNANSWERED),
)


def _tables() -> None:
    op.create_table('case_file',
    sa.Column('id', ID, nullable=False),
    sa.Column('evaluation', ID, nullable=False),
    sa.Column('opened_at', TIME, nullable=False),
    sa.Column('call_back_due', TIME, nullable=False),
    sa.Column('rectify_due', TIME, nullable=False),
    sa.Column('objection_until', TIME, nullable=False),
    sa.Column('provisional', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['evaluation'], ['evaluation.id'], name=op.f('fk_case_file_evaluation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_file')),
    sa.UniqueConstraint('evaluation', name=op.f('uq_case_file_evaluation')),
    )
    op.create_index('ix_case_file_opened_at_id', 'case_file', ['opened_at', 'id'], unique=False)
    op.create_table('case_event',
    sa.Column('id', ID, nullable=False),
    sa.Column('case', ID, nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('credential', ID, nullable=True),
    sa.Column('at', TIME, nullable=False),
    sa.Column('note', sa.LargeBinary(), nullable=True),
    sa.Column('data', JSON, nullable=False),
    sa.ForeignKeyConstraint(['case'], ['case_file.id'], name=op.f('fk_case_event_case')),
    sa.ForeignKeyConstraint(['credential'], ['channel_credential.id'], name=op.f('fk_case_event_credential')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_event')),
    sa.UniqueConstraint('case', 'seq', name=op.f('uq_case_event_case_seq')),
    )
    op.create_table('case_standing',
    sa.Column('case', ID, nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('cycle', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('objection', sa.Text(), nullable=False),
    sa.Column('adopted', sa.Boolean(), nullable=False),
    sa.Column('provisional', sa.Boolean(), nullable=False),
    sa.Column('objection_until', TIME, nullable=False),
    sa.Column('next_due', TIME, nullable=True),
    sa.Column('wake_at', TIME, nullable=True),
    sa.Column('changed_at', TIME, nullable=False),
    sa.ForeignKeyConstraint(['case'], ['case_file.id'], name=op.f('fk_case_standing_case')),
    sa.PrimaryKeyConstraint('case', name=op.f('pk_case_standing'))
    )
    op.create_index('ix_case_standing_next_due', 'case_standing', ['next_due'], unique=False)
    op.create_index('ix_case_standing_state', 'case_standing', ['state'], unique=False)
    op.create_index('ix_case_standing_wake_at', 'case_standing', ['wake_at'], unique=False)
    op.create_table('case_cycle',
    sa.Column('case', ID, nullable=False),
    sa.Column('cycle', sa.Integer(), nullable=False),
    sa.Column('evaluation', ID, nullable=True),
    sa.Column('opened_at', TIME, nullable=False),
    sa.Column('call_back_due', TIME, nullable=False),
    sa.Column('rectify_due', TIME, nullable=False),
    sa.Column('called_back_at', TIME, nullable=True),
    sa.Column('rectified_at', TIME, nullable=True),
    sa.Column('closed_at', TIME, nullable=True),
    sa.Column('follow_up', ID, nullable=True),
    sa.ForeignKeyConstraint(['case'], ['case_file.id'], name=op.f('fk_case_cycle_case')),
    sa.ForeignKeyConstraint(['evaluation'], ['evaluation.id'], name=op.f('fk_case_cycle_evaluation')),
    sa.ForeignKeyConstraint(['follow_up'], ['follow_up.id'], name=op.f('fk_case_cycle_follow_up')),
    sa.PrimaryKeyConstraint('case', 'cycle', name=op.f('pk_case_cycle')),
    sa.UniqueConstraint('evaluation', name=op.f('uq_case_cycle_evaluation')),
    sa.UniqueConstraint('follow_up', name=op.f('uq_case_cycle_follow_up'))
    )
    op.create_index('ix_case_cycle_opened_at', 'case_cycle', ['opened_at'], unique=False)
    op.create_table('attachment',
    sa.Column('id', ID, nullable=False),
    sa.Column('case', ID, nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', TIME, nullable=False),
    sa.ForeignKeyConstraint(['case'], ['case_file.id'], name=op.f('fk_attachment_case')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment')),
    )
    op.create_index(op.f('ix_attachment_case'), 'attachment', ['case'], unique=False)
    op.create_table('objection',
    sa.Column('id', ID, nullable=False),
    sa.Column('case', ID, nullable=False),
    sa.Column('cycle', sa.Integer(), nullable=False),
    sa.Column('event', ID, nullable=False),
    sa.Column('attachment', ID, nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('filed_at', TIME, nullable=False),
    sa.Column('until', TIME, nullable=False),
    sa.Column('until_provisional', sa.Boolean(), nullable=False),
    sa.Column('decide_due', TIME, nullable=False),
    sa.ForeignKeyConstraint(['attachment'], ['attachment.id'], name=op.f('fk_objection_attachment')),
    sa.ForeignKeyConstraint(['case'], ['case_file.id'], name=op.f('fk_objection_case')),
    sa.ForeignKeyConstraint(['event'], ['case_event.id'], name=op.f('fk_objection_event')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_objection')),
    sa.UniqueConstraint('case', 'cycle', name=op.f('uq_objection_case_cycle')),
    )
    op.create_table('reminder',
    sa.Column('id', ID, nullable=False),
    sa.Column('case', ID, nullable=False),
    sa.Column('cycle', sa.Integer(), nullable=False),
    sa.Column('duty', sa.Text(), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('to', sa.Text(), nullable=False),
    sa.Column('due', TIME, nullable=False),
    sa.Column('at', TIME, nullable=False),
    sa.CheckConstraint("side IN ('before', 'after')", name=op.f('ck_reminder_side')),
    sa.ForeignKeyConstraint(['case'], ['case_file.id'], name=op.f('fk_reminder_case')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder')),
    sa.UniqueConstraint('case', 'cycle', 'duty', 'side', 'due', name=op.f('uq_reminder_case_cycle_duty_side_due')),
    )
    op.create_index('ix_reminder_at_id', 'reminder', ['at', 'id'], unique=False)
    op.create_table('department_warning',
    sa.Column('id', ID, nullable=False),
    sa.Column('department', sa.Text(), nullable=False),
    sa.Column('period_begins', TIME, nullable=False),
    sa.Column('period_ends', TIME, nullable=False),
    sa.Column('index_hundredths', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('definition', JSON, nullable=False),
    sa.Column('at', TIME, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_department_warning')),
    sa.UniqueConstraint('department', 'period_begins', name=op.f('uq_department_warning_department_period_begins')),
    )
    op.create_table('interview',
    sa.Column('id', ID, nullable=False),
    sa.Column('warning', ID, nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('note', sa.LargeBinary(), nullable=False),
    sa.Column('rectify_until', TIME, nullable=True),
    sa.Column('at', TIME, nullable=False),
    sa.ForeignKeyConstraint(['warning'], ['department_warning.id'], name=op.f('fk_interview_warning')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_interview')),
    )
    op.create_index(op.f('ix_interview_warning'), 'interview', ['warning'], unique=False)
    op.create_table('job_turn',
    sa.Column('job', sa.Text(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=True),
    sa.Column('until', TIME, nullable=True),
    sa.Column('done_at', TIME, nullable=True),
    sa.PrimaryKeyConstraint('job', name=op.f('pk_job_turn'))
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
    for name, _column, _where in _CONTACT_INDEXES:
        op.drop_index(name, "contact")
    # where both are there the one that was given stands, and the one deemed is what 0002 cannot hold
    op.execute(
        "DELETE FROM evaluation WHERE deemed AND EXISTS (SELECT 1 FROM evaluation AS given"
        " WHERE given.contact = evaluation.contact AND given.round = evaluation.round AND NOT given.deemed)"
    )
    with op.batch_alter_table("evaluation", table_args=checks()) as table:
        table.drop_constraint(op.f("uq_evaluation_contact_round_deemed"), type_="unique")
        table.create_unique_constraint(op.f("uq_evaluation_contact_round"), ["contact", "round"])
