"""What a deleted or replaced value leaves in the database's files. Rule: whoever deletes for real ends with `wipe`.

SQLite overwrites with zeros what is freed (secure_delete), but its write-ahead log still holds the pages of before;
PostgreSQL keeps the old row until a vacuum. Its own write-ahead log, replicas and backups are the site's to expire.
"""

from collections.abc import Iterable

from sqlalchemy import Engine, text

from store.database import faults_told


def wipe(engine: Engine, tables: Iterable[str]) -> None:
    """Let nothing of what was deleted from these tables stand in the database's files."""
    with faults_told(engine), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            driver = connection.connection.driver_connection  # a checkpoint in a transaction is refused
            assert driver is not None
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # while somebody reads, it leaves it to the next
            return
        connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in sorted(set(tables)):
            connection.execute(text(f'VACUUM "{table}"'))
