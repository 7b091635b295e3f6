"""What each database role may do with the keyring, and that no session sees another tenant."""

import pytest
from integration.sealing.rig import ERASING, RUNTIME, Rig
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

TABLES = ("tenant_key", "data_key", "link", "tombstone", "erasure", "kept")
ADA = "patients/ada"


@pytest.fixture
async def filled(rig: Rig, tenant: str) -> str:
    """A tenant with a row in every table."""
    process = await rig.process(roles=ERASING)
    for subject in (ADA, "patients/ben", "conversations/1"):
        await process.keyring.data_key(tenant, subject)
    for patient in (ADA, "patients/ben"):
        await process.keyring.link(tenant, "conversations/1", patient)
    await process.keyring.erase(tenant, ADA, "requests/1")
    return tenant


@pytest.mark.parametrize(
    "forbidden",
    [
        "DELETE FROM keyring.data_key",
        "DELETE FROM keyring.tenant_key",
        "DELETE FROM keyring.tombstone",
        "TRUNCATE keyring.data_key",
        "TRUNCATE keyring.link",
        "UPDATE keyring.data_key SET subject = 'patients/other'",
        "UPDATE keyring.data_key SET wrapped = ''",
        "UPDATE keyring.tenant_key SET wrapped = ''",
        "UPDATE keyring.link SET patient = 'patients/other'",
        "UPDATE keyring.tombstone SET subject = 'patients/other'",
        "INSERT INTO keyring.tombstone (tenant, subject, request_id) VALUES ('t', 's', 'r')",
        "INSERT INTO keyring.erasure (tenant, request_id, patient) VALUES ('t', 'r', 'p')",
        "SELECT 1 FROM keyring.erasure",
        "ALTER TABLE keyring.data_key DISABLE ROW LEVEL SECURITY",
        "DROP TABLE keyring.data_key",
        "CREATE TABLE keyring.mine (id int)",
        "SET ROLE keyring_owner",
        "SET ROLE keyring_eraser",
    ],
)
async def test_a_service_may_not(rig: Rig, filled: str, forbidden: str) -> None:
    async with rig.session(RUNTIME, filled) as session:
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            await session.execute(text(forbidden))


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT wrapped FROM keyring.data_key",
        "SELECT 1 FROM keyring.tenant_key",
        "DELETE FROM keyring.link",
        "DELETE FROM keyring.tombstone",
        "DELETE FROM keyring.erasure",
        "DELETE FROM keyring.kept",
        "UPDATE keyring.tombstone SET subject = 'patients/other'",
        "INSERT INTO keyring.data_key (key_id) VALUES (gen_random_uuid())",
    ],
)
async def test_the_eraser_may_not(rig: Rig, filled: str, forbidden: str) -> None:
    async with rig.session(ERASING, filled) as session:
        await session.execute(text("SET LOCAL ROLE keyring_eraser"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            await session.execute(text(forbidden))


@pytest.mark.parametrize("table", ["tombstone", "erasure", "kept"])
@pytest.mark.parametrize("verb", ["DELETE FROM", "TRUNCATE", "UPDATE"])
async def test_not_even_a_superuser_takes_an_erasure_back_by_accident(
    rig: Rig, filled: str, table: str, verb: str
) -> None:
    assert await rig.rows("SELECT 1 FROM keyring.tombstone WHERE tenant = :t", t=filled)
    change = "SET tenant = tenant" if verb == "UPDATE" else "CASCADE" if verb == "TRUNCATE" else ""
    with pytest.raises(DBAPIError, match="an erasure is final"):
        await rig.rows(f"{verb} keyring.{table} {change}")


@pytest.mark.parametrize("table", TABLES)
async def test_a_session_sees_its_own_tenant_and_no_other(
    rig: Rig, filled: str, table: str
) -> None:
    query = text(f"SELECT count(*) FROM keyring.{table}")  # noqa: S608 - a name of ours
    async with rig.session(ERASING, filled) as session:
        assert (await session.scalar(query)) > 0
    for nobody in (None, "", "*", f"{filled}-other"):
        async with rig.session(ERASING, nobody) as session:
            assert await session.scalar(query) == 0


async def test_a_session_writes_for_its_own_tenant_only(rig: Rig, filled: str) -> None:
    async with rig.session(RUNTIME, f"{filled}-other") as session:
        with pytest.raises(ProgrammingError, match="row-level security"):
            await session.execute(
                text(
                    "INSERT INTO keyring.link (tenant, subject, patient) VALUES (:t, 'a/1', 'b/1')"
                ),
                {"t": filled},
            )
    async with rig.session(RUNTIME, f"{filled}-other") as session:
        deleted = await session.execute(text("DELETE FROM keyring.link RETURNING 1"))
        assert deleted.all() == []


async def test_a_tenant_set_for_one_transaction_is_gone_in_the_next(rig: Rig, filled: str) -> None:
    process = await rig.process()
    await process.keyring.data_key(filled, "patients/ben")

    async with process.engine.connect() as session:
        assert await session.scalar(text("SELECT count(*) FROM keyring.data_key")) == 0


async def test_none_of_the_roles_can_log_in_or_pass_by_row_level_security(rig: Rig) -> None:
    roles = await rig.rows(
        "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
        " FROM pg_roles"
        " WHERE rolname IN ('keyring_owner', 'keyring_runtime', 'keyring_eraser')"
    )

    assert len(roles) == 3
    assert not any(flag for role in roles for flag in role[1:])
