from runtime.database.migrations import migrate_service
from sqlalchemy import text

from conftest import Database


async def test_the_read_model_is_made_once_and_closed_to_other_tenants(database: Database) -> None:
    async with database.engine.begin() as connection:
        for statement in (
            "create role audit_owner nologin",
            "create role audit_runtime nologin",
            "create schema audit authorization audit_owner",
            "grant usage on schema audit to audit_runtime",
        ):
            await connection.execute(text(statement))
    await migrate_service(database.engine, "audit")
    await migrate_service(database.engine, "audit")
    async with database.engine.begin() as connection:
        await connection.execute(text("set local role audit_runtime"))
        assert await connection.scalar(text("select count(*) from audit.access")) == 0
