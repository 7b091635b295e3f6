"""Brings a database's keyring schema up to date."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sealing.keyring.statements import statement


async def prepare(engine: AsyncEngine) -> None:
    """Make the roles keyring_owner, keyring_runtime and keyring_eraser (none can log in) and the
    schema `keyring`, where they are not there yet. Needs a superuser; once per database.
    """
    async with engine.begin() as connection:
        for name in ("create_roles", "create_schema"):
            await connection.execute(statement(name))


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that have not run yet, as keyring_owner, one process at a time."""
    async with engine.begin() as connection:
        await connection.execute(statement("lock_migrations"))
        await _upgrade(connection)


async def _upgrade(connection: AsyncConnection) -> None:
    await connection.execute(statement("become_owner"))
    with as_file(files("sealing.keyring") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        await connection.run_sync(_run, config)


def _run(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
