"""`careline migrate` on databases as another administrator hands them over."""

import json

import pytest
from conftest import Database
from integration.cli.conftest import OWNERS, SCHEMAS, External
from runtime.service_names import SERVICES
from sqlalchemy import text

NAMES = [schema.name for schema in SCHEMAS]
RELATIONS = """
select relnamespace::regnamespace::text, relname, relowner::regrole::text, oid
from pg_class where relnamespace::regnamespace::text = any(:schemas)
"""
LOGINS = "select count(*) from pg_roles where rolname like 'v-%migrations%'"


async def relations(database: Database) -> set[tuple[str, str, str, int]]:
    """Give schema, name, owner and identity of everything that migrations make."""
    async with database.engine.connect() as connection:
        found = await connection.execute(text(RELATIONS), {"schemas": NAMES})
        return {(one[0], one[1], one[2], one[3]) for one in found}


async def test_every_schema_is_made_by_its_owner_and_a_second_run_changes_nothing(
    databases: External,
) -> None:
    done = databases.migrate("--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"schemas": [*SERVICES, "keyring"]}
    assert [name for name in NAMES if f"schema {name}" not in done.stderr] == []
    made = await relations(databases.database)
    assert {(schema, owner) for schema, _, owner, _ in made} == set(zip(NAMES, OWNERS, strict=True))
    again = databases.migrate()
    assert again.returncode == 0
    assert again.stdout == "7 schemas are up to date\n"
    assert await relations(databases.database) == made


async def test_its_logins_end_with_it(databases: External) -> None:
    assert databases.migrate().returncode == 0

    async with databases.database.engine.connect() as connection:
        assert await connection.scalar(text(LOGINS)) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"DATABASE": "postgresql:///elsewhere?host=/no"}, "no connection to database elsewhere"),
        ({"VAULT_ADDRESS": "http://127.0.0.1:1"}, "Vault at http://127.0.0.1:1 is away"),
    ],
    ids=["database", "vault"],
)
async def test_what_is_away_is_one_line(
    databases: External, changes: dict[str, str], words: str
) -> None:
    refused = databases.migrate(**changes)

    assert refused.returncode == 1
    said = [line for line in refused.stderr.splitlines() if not line.startswith("·")]
    assert len(said) == 1, refused.stderr
    assert words in said[0]
    assert await relations(databases.database) == set()


async def test_a_login_without_the_owners_rights_is_one_line_and_changes_nothing(
    databases: External,
) -> None:
    await databases.hand_over(("audit_runtime",))

    refused = databases.migrate()

    assert refused.returncode == 1
    assert "lacks a right" in refused.stderr.splitlines()[-1]
    assert await relations(databases.database) == set()


async def test_a_database_that_vault_does_not_reach_is_one_line(databases: External) -> None:
    async with databases.database.engine.begin() as connection:
        await connection.execute(text("alter role vault_admin nologin"))
    try:
        refused = databases.migrate()
    finally:
        async with databases.database.engine.begin() as connection:
            await connection.execute(text("alter role vault_admin login"))

    assert refused.returncode == 1
    assert f"no login to database {databases.database.name}" in refused.stderr.splitlines()[-1]
