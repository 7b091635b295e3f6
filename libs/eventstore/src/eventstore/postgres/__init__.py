"""The log on PostgreSQL: one schema a log.

`migrate`, which makes it, is imported from its own module: who runs a service needs no Alembic.
"""

from eventstore.postgres.log import PostgresEventLog

__all__ = ["PostgresEventLog"]
