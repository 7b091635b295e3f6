"""Brings a schema's log to the newest version."""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.postgres.statements import identifier

_LOCK = (0x6576, 0x6C6F)
_LOCK_TIMEOUT = "60s"


async def migrate(engine: AsyncEngine, schema: str, *, owner_role: str, runtime_role: str) -> None:
    """Make or upgrade the log in `schema`, all or nothing; does nothing when it is up to date.

    The engine's user must be allowed to SET ROLE to `owner_role`, which comes to own everything,
    and to create the schema if it is not there. `runtime_role` gets what appending, reading and
    projecting need. One migration runs at a time in a database; another one waits a minute.
    """
    for name in (schema, owner_role, runtime_role):
        identifier(name)
    async with engine.begin() as connection:
        await connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        await connection.execute(
            text("select pg_advisory_xact_lock(:one, :two)"), {"one": _LOCK[0], "two": _LOCK[1]}
        )
        await connection.run_sync(_upgrade, schema, owner_role, runtime_role)


def _upgrade(connection: Connection, schema: str, owner_role: str, runtime_role: str) -> None:
    owner = identifier(owner_role)
    there = connection.scalar(
        text("select true from pg_namespace where nspname = :schema"), {"schema": schema}
    )
    if not there:
        connection.execute(text(f"create schema {identifier(schema)} authorization {owner}"))
    connection.execute(text(f"set local role {owner}"))
    with as_file(files("eventstore.postgres") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes.update(connection=connection, schema=schema, runtime_role=runtime_role)
        command.upgrade(config, "head")
