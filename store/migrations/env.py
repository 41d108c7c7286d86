"""Alembic's entry. Rule: connection and transaction come from `store.upgrade`; nothing is configured by file."""

from alembic import context

from store.schema import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, compare_type=True)
context.run_migrations()
