from conftest import Database
from eventstore.postgres.migrate import migrate
from runtime.database.migrations import migrate_service
from sqlalchemy import text


async def test_the_read_model_is_made_once_and_closed_to_other_tenants(database: Database) -> None:
    for role in ("audit_owner", "audit_runtime"):
        # Roles are the server's, and other tests may have made them.
        async with database.engine.begin() as connection:
            known = await connection.scalar(
                text("select 1 from pg_roles where rolname = :role"), {"role": role}
            )
            if known is None:
                await connection.execute(text(f"create role {role} nologin"))
    async with database.engine.begin() as connection:
        for statement in (
            "create schema audit authorization audit_owner",
            "grant usage on schema audit to audit_runtime",
            f'grant create on database "{database.name}" to audit_owner',
        ):
            await connection.execute(text(statement))
    await migrate(database.engine, "audit", owner_role="audit_owner", runtime_role="audit_runtime")
    await migrate_service(database.engine, "audit")
    await migrate_service(database.engine, "audit")
    async with database.engine.begin() as connection:
        await connection.execute(text("set local role audit_runtime"))
        assert await connection.scalar(text("select count(*) from audit.access")) == 0
