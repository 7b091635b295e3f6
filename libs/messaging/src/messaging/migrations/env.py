"""Runs the versions on the connection that `migrate` gives, in its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="messaging_version",
    version_table_schema=context.config.attributes["schema"],
)
context.run_migrations()
