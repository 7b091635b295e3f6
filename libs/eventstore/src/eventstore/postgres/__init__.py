"""The log on PostgreSQL: one schema a log."""

from eventstore.postgres.log import PostgresEventLog
from eventstore.postgres.migrate import migrate

__all__ = ["PostgresEventLog", "migrate"]
