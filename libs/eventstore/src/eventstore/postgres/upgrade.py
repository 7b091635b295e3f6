"""Brings tables of a schema to their newest version by Alembic revisions."""

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.postgres.statements import identifier

_LOCK = {"one": 0x6576, "two": 0x6C6F}
_LOCK_TIMEOUT = "60s"


async def upgrade(
    engine: AsyncEngine,
    schema: str,
    *,
    owner_role: str,
    runtime_role: str,
    versions: Traversable,
    version_table: str,
) -> None:
    """Run the revisions in the folder `versions` that `version_table` lacks, all or nothing.

    The engine's user must be allowed to SET ROLE to `owner_role`, which comes to own everything,
    and to create the schema if it is not there. Scripts may grant `runtime_role` what they like.
    One upgrade runs at a time in a database; another one waits a minute.
    """
    for name in (schema, owner_role, runtime_role, version_table):
        identifier(name)
    attributes = {"schema": schema, "runtime_role": runtime_role, "version_table": version_table}
    async with engine.begin() as connection:
        await connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        await connection.execute(text("select pg_advisory_xact_lock(:one, :two)"), _LOCK)
        await connection.run_sync(_become_owner, schema, owner_role)
        await connection.run_sync(_run, versions, attributes)


def _become_owner(connection: Connection, schema: str, owner_role: str) -> None:
    owner = identifier(owner_role)
    there = connection.scalar(
        text("select true from pg_namespace where nspname = :schema"), {"schema": schema}
    )
    if not there:
        connection.execute(text(f"create schema {identifier(schema)} authorization {owner}"))
    connection.execute(text(f"set local role {owner}"))


def _run(connection: Connection, versions: Traversable, attributes: dict[str, str]) -> None:
    with (
        as_file(files("eventstore.postgres") / "migration_environment") as environment,
        as_file(versions) as revisions,
    ):
        config = Config()
        config.set_main_option("script_location", str(environment).replace("%", "%%"))
        config.set_main_option("version_locations", str(revisions).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.attributes.update(connection=connection, **attributes)
        command.upgrade(config, "head")
