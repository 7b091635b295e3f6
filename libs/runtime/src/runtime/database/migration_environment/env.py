"""Runs a service's versions on the connection that `migrate_service` gives, in its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=f"{context.config.attributes['schema']}_version",
    version_table_schema=context.config.attributes["schema"],
)
context.run_migrations()
