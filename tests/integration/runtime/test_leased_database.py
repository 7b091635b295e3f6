"""Engines whose logins OpenBao makes and ends, exchanged while queries run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from conftest import Database
from embedded import PostgresServer
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig, Workload
from runtime.addresses import DatabaseAddress
from runtime.background import beside
from runtime.database.errors import DatabaseUnavailable
from runtime.database.leased_engine import LeasedDatabase, answers
from runtime.database.tenant_session import tenant_session
from runtime.vault.database_login import DatabaseLogins
from runtime.vault.session import VaultSession
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

CREATE = """CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"""
REVOKE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';
DROP ROLE IF EXISTS "{{name}}";"""


@dataclass(frozen=True)
class Leases:
    """A database that OpenBao makes logins for."""

    vault: VaultRig
    database: Database
    address: DatabaseAddress
    name: str

    def role(self, ttl: str) -> str:
        role = f"{self.name}-{uuid4().hex[:6]}"
        self.vault.root.secrets.database.create_role(
            role,
            self.name,
            creation_statements=[CREATE],
            revocation_statements=[REVOKE],
            default_ttl=ttl,
            max_ttl="1h",
        )
        return role

    @asynccontextmanager
    async def leased(
        self, ttl: str, workload: Workload | None = None
    ) -> AsyncIterator[tuple[LeasedDatabase, VaultSession]]:
        async with self.vault.session(workload) as session:
            leased = LeasedDatabase(self.address, DatabaseLogins(session), self.role(ttl))
            async with leased, beside(leased.stay_fresh):
                yield leased, session

    async def logins(self) -> set[str]:
        """Give those of this database's roles: OpenBao puts eight letters of the role into a name.

        Other tests on the same server leave logins behind until their leases end.
        """
        async with self.database.engine.connect() as connection:
            found = await connection.execute(
                text("SELECT rolname FROM pg_roles WHERE rolname LIKE :pattern"),
                {"pattern": f"v-%-{self.name[:8]}-%"},
            )
            return set(found.scalars())


@pytest.fixture
async def leases(
    vault: VaultRig, postgres: PostgresServer, database: Database
) -> AsyncIterator[Leases]:
    name = f"db-{uuid4().hex[:8]}"
    admin = f"admin_{uuid4().hex[:8]}"
    async with database.engine.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {admin} SUPERUSER LOGIN PASSWORD 'made-up'"))
    vault.root.secrets.database.configure(
        name,
        "postgresql-database-plugin",
        allowed_roles=["*"],
        connection_url=(
            "postgresql://{{username}}:{{password}}@/"
            f"{database.name}?host={postgres.socket_dir}"
        ),
        username=admin,
        password="made-up",
    )
    address = DatabaseAddress(database.name, 5432, socket_dir=postgres.socket_dir)
    yield Leases(vault, database, address, name)
    vault.root.secrets.database.delete_connection(name)
    async with database.engine.begin() as connection:
        await connection.execute(text(f"DROP ROLE {admin}"))


async def _who(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return str(await connection.scalar(text("SELECT current_user")))


async def test_an_engine_connects_by_its_lease_with_its_purposes_settings(leases: Leases) -> None:
    async with leases.leased("10m") as (leased, _):
        engine = leased.engine("log", server_settings={"careline.tenant": "*"})
        async with engine.connect() as connection:
            user = await connection.scalar(text("SELECT current_user"))
            tenant = await connection.scalar(text("SELECT current_setting('careline.tenant')"))
            name = await connection.scalar(text("SELECT current_setting('application_name')"))
        await answers(engine)

        assert user in await leases.logins()
        assert tenant == "*"
        assert str(name).endswith(" log")


async def test_leaving_ends_the_login_and_its_sessions(leases: Leases) -> None:
    async with leases.leased("10m") as (leased, _):
        user = await _who(leased.engine("queries"))

    assert user not in await leases.logins()


async def test_a_login_is_exchanged_before_it_ends_while_queries_run(leases: Leases) -> None:
    async with leases.leased("5s") as (leased, _):
        engines = [leased.engine("one", pool_size=3), leased.engine("two", pool_size=3)]
        check = leased.engine("check", pool_size=1)
        users: set[str] = set()
        stop = asyncio.Event()

        async def ask(engine: AsyncEngine) -> int:
            asked = 0
            while not stop.is_set():
                async with engine.begin() as connection:
                    users.add(
                        str(await connection.scalar(text("SELECT current_user, pg_sleep(0.01)")))
                    )
                asked += 1
            return asked

        async with asyncio.timeout(60):
            asking = asyncio.gather(*(ask(engine) for engine in engines for _ in range(3)))
            await eventually(lambda: _at_least(users, 3), within=45)
            stop.set()
            asked = await asking

        assert min(asked) > 20
        await eventually(lambda: _is_only(leases, check), within=30)


async def _left_login(engine: AsyncEngine, before: str) -> bool:
    return await _who(engine) != before


async def _at_least(users: set[str], count: int) -> bool:
    return len(users) >= count


async def _is_only(leases: Leases, engine: AsyncEngine) -> bool:
    """Whether all logins but the newest are gone."""
    return await leases.logins() == {await _who(engine)}


async def test_a_transaction_that_is_open_during_the_exchange_finishes(leases: Leases) -> None:
    async with leases.leased("5s") as (leased, _):
        engine = leased.engine("one", pool_size=1)
        async with engine.begin() as connection:
            before = await connection.scalar(text("SELECT current_user"))
            await eventually(lambda: _exchanged(leases, str(before)), within=10)

            assert await connection.scalar(text("SELECT current_user")) == before
        # The new login is there a moment before the pool has been swapped.
        await eventually(lambda: _left_login(engine, str(before)), within=10)


async def _exchanged(leases: Leases, before: str) -> bool:
    return bool(await leases.logins() - {before})


async def test_a_new_sign_in_with_vault_exchanges_logins_that_would_end_with_the_old(
    leases: Leases,
) -> None:
    async with leases.leased("10m") as (leased, session):
        engine = leased.engine("one")
        before = await _who(engine)
        answer = await session.call(lambda client: client.auth.token.lookup_self())
        leases.vault.root.auth.token.revoke_accessor(answer["data"]["accessor"])
        await session.call(lambda client: client.auth.token.lookup_self())

        await eventually(lambda: _is_another(engine, before), within=10)
        assert before not in await leases.logins()


async def _is_another(engine: AsyncEngine, before: str) -> bool:
    try:
        return await _who(engine) != before
    except (DatabaseUnavailable, DBAPIError):
        return False


async def test_a_login_that_is_refused_is_told_without_password(leases: Leases) -> None:
    async with leases.leased("10m") as (leased, _):
        engine = leased.engine("one")
        user = await _who(engine)
        await engine.dispose()
        async with leases.database.engine.begin() as connection:
            await connection.execute(text(f'ALTER ROLE "{user}" NOLOGIN'))

        with pytest.raises(DatabaseUnavailable, match="check that it runs") as raised:
            await _who(engine)

    assert raised.value.__cause__ is None
    assert user not in str(raised.value)


async def test_a_server_that_is_away_is_told(leases: Leases) -> None:
    nowhere = DatabaseAddress("careline", 5999, socket_dir=leases.address.socket_dir)
    async with leases.vault.session() as session:
        leased = LeasedDatabase(nowhere, DatabaseLogins(session), leases.role("10m"))
        async with leased:
            with pytest.raises(DatabaseUnavailable):
                await answers(leased.engine("one"))


async def test_a_tenants_session_sees_that_tenants_rows_and_no_others(leases: Leases) -> None:
    async with leases.database.engine.begin() as connection:
        for statement in (
            "CREATE TABLE note (tenant text, body text)",
            "ALTER TABLE note ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY own ON note USING (tenant = current_setting('careline.tenant', true))",
            "INSERT INTO note VALUES ('demo', 'a'), ('other', 'b')",
            "GRANT SELECT, INSERT ON note TO public",
        ):
            await connection.execute(text(statement))
    async with leases.leased("10m") as (leased, _):
        engine = leased.engine("queries", pool_size=1)
        seen: dict[str, list[str]] = {}
        for tenant in ("demo", "other", "third"):
            async with tenant_session(engine, tenant) as connection:
                seen[tenant] = list((await connection.scalars(text("SELECT body FROM note"))).all())
        async with engine.connect() as connection:
            without = list((await connection.scalars(text("SELECT body FROM note"))).all())

    assert seen == {"demo": ["a"], "other": ["b"], "third": []}
    assert without == []


@pytest.mark.parametrize("tenant", ["*", "", "Demo", "demo' OR true --"])
async def test_a_tenants_session_needs_one_tenant(leases: Leases, tenant: str) -> None:
    with pytest.raises(ValueError, match="one tenant"):
        async with tenant_session(leases.database.engine, tenant):
            pass
