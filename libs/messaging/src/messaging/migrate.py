"""Brings messaging's tables in a service's schema to the newest version."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from eventstore.postgres.statements import identifier
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

_LOCK = (0x6576, 0x6D73)
_LOCK_TIMEOUT = "60s"


async def migrate(engine: AsyncEngine, schema: str, *, owner_role: str, runtime_role: str) -> None:
    """Make or upgrade the tables, all or nothing, in a schema that `eventstore` has made before.

    The engine's user must be allowed to SET ROLE to `owner_role`, which comes to own everything;
    `runtime_role` gets what relay and consumers need. One migration runs at a time in a database;
    another one waits a minute.
    """
    for name in (schema, owner_role, runtime_role):
        identifier(name)
    async with engine.begin() as connection:
        await connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        await connection.execute(
            text("select pg_advisory_xact_lock(:one, :two)"), {"one": _LOCK[0], "two": _LOCK[1]}
        )
        await connection.execute(text(f"set local role {identifier(owner_role)}"))
        await connection.run_sync(_upgrade, schema, runtime_role)


def _upgrade(connection: Connection, schema: str, runtime_role: str) -> None:
    with as_file(files("messaging") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes.update(connection=connection, schema=schema, runtime_role=runtime_role)
        command.upgrade(config, "head")
