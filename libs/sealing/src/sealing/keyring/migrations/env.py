"""How Alembic reaches the keyring: over the connection that it is given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_version",
    version_table_schema="keyring",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
