"""Runs the migrations of a service's own tables: SQL scripts beside their Alembic revisions."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from alembic import command, context
from alembic.config import Config
from alembic.op import get_bind
from eventstore.postgres.run_script import run_script
from eventstore.postgres.statements import identifier
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

_LOCK_TIMEOUT: Final = "60s"


async def migrate_service(engine: AsyncEngine, service: str) -> None:
    """Bring the tables of a service's package to their newest version, all or nothing.

    The engine's user must be allowed to SET ROLE to `<service>_owner`, and the schema must exist.
    One migration of a service runs at a time; another one waits a minute.
    """
    async with engine.begin() as connection:
        await connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        await connection.execute(
            text("select pg_advisory_xact_lock(hashtext(:service), 0)"), {"service": service}
        )
        await connection.run_sync(_upgrade, service)


def run_script_of_revision(revision_file: str) -> None:
    """Run the script that lies beside a revision and has its name, with {schema} and
    {runtime_role} filled in.
    """
    attributes = context.config.attributes
    script = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    for place in ("schema", "runtime_role"):
        script = script.replace(f"{{{place}}}", identifier(attributes[place]))
    run_script(get_bind(), script)


def _upgrade(connection: Connection, service: str) -> None:
    connection.execute(text(f"set local role {identifier(f'{service}_owner')}"))
    with (
        as_file(files("runtime.database") / "migration_environment") as environment,
        as_file(files(service) / "migrations" / "versions") as versions,
    ):
        config = Config()
        config.set_main_option("script_location", str(environment).replace("%", "%%"))
        config.set_main_option("version_locations", str(versions).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.attributes.update(
            connection=connection, schema=service, runtime_role=f"{service}_runtime"
        )
        command.upgrade(config, "head")
