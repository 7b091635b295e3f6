"""The keyring's database stopped and started, and a pool without room."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest
from conftest import OpenBao, superuser_url
from embedded.postgres import PostgresServer
from embedded.process import ServerProcess
from integration.sealing.rig import Rig, keyring_rig
from integration.sealing.transit import HvacTransit, mount_transit
from sealing.keyring import Keyring, KeyringUnavailable, Limits
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class OwnPostgres:
    """A server of this module's own, which is stopped."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._process: ServerProcess | None = None

    async def start(self) -> None:
        self._process = await ServerProcess.start(self.server)
        await self._process.ready()

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()
            self._process = None


@pytest.fixture(scope="module")
async def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnPostgres]:
    own = OwnPostgres(PostgresServer(tmp_path_factory.mktemp("keyring"), durable=False))
    await own.start()
    yield own
    await own.stop()


@pytest.fixture(scope="module")
async def own_rig(own_postgres: OwnPostgres, openbao: OpenBao) -> AsyncIterator[Rig]:
    mount_transit(openbao.client())
    async with AsyncExitStack() as stack:
        url = superuser_url(own_postgres.server)
        engine = create_async_engine(url)
        stack.push_async_callback(engine.dispose)
        yield await stack.enter_async_context(keyring_rig(engine, url, openbao.client))


async def test_held_keys_go_on_without_the_database_and_others_say_what_to_do(
    own_rig: Rig, own_postgres: OwnPostgres, tenant: str
) -> None:
    process = await own_rig.process()
    key = await process.keyring.data_key(tenant, "conversations/1")
    await own_postgres.stop()
    try:
        assert await process.keyring.data_key(tenant, "conversations/1") is key
        assert await process.keyring.keys_by_id(tenant, [key.id]) == {key.id: key}
        assert len(await process.keyring.index_key(tenant, "code")) == 32
        for _ in range(2):
            with pytest.raises(KeyringUnavailable, match="retry with back-off"):
                await process.keyring.data_key(tenant, "conversations/2")
            with pytest.raises(KeyringUnavailable):
                await process.keyring.link(tenant, "conversations/2", "patients/1")
            with pytest.raises(KeyringUnavailable):
                await process.keyring.erase(tenant, "patients/1", "requests/1")
    finally:
        await own_postgres.start()

        await own_rig.engine.dispose()

    with suppress(KeyringUnavailable):  # it finds its sessions dead, and throws them out
        await process.keyring.data_key(tenant, "conversations/2")
    assert (await process.keyring.data_key(tenant, "conversations/2")).tenant == tenant


async def test_sessions_that_the_server_ends_are_said_to_be_away(own_rig: Rig, tenant: str) -> None:
    process = await own_rig.process()
    await process.keyring.data_key(tenant, "conversations/1")

    await own_rig.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    )

    with pytest.raises(KeyringUnavailable):
        await process.keyring.data_key(tenant, "conversations/2")
    assert (await process.keyring.data_key(tenant, "conversations/2")).tenant == tenant


async def test_a_pool_without_room_is_not_waited_for_longer_than_the_timeout(
    own_rig: Rig, tenant: str
) -> None:
    process = await own_rig.process()
    engine = create_async_engine(process.engine.url, pool_size=1, max_overflow=0)
    try:
        async with Keyring(engine, process.transit, limits=Limits(timeout=0.2)) as keyring:
            async with engine.connect() as greedy:
                await greedy.execute(text("SELECT 1"))
                with pytest.raises(KeyringUnavailable):
                    await keyring.data_key(tenant, "conversations/1")
            assert (await keyring.data_key(tenant, "conversations/1")).tenant == tenant
    finally:
        await engine.dispose()


async def test_a_mistake_in_the_database_is_not_called_an_outage(
    own_rig: Rig, tenant: str, openbao: OpenBao
) -> None:
    engine = create_async_engine(own_rig.url.set(database="template1"))
    try:
        async with Keyring(engine, HvacTransit(openbao.client())) as keyring:
            with pytest.raises(Exception, match="keyring") as mistake:
                await keyring.data_key(tenant, "conversations/1")
    finally:
        await engine.dispose()

    assert not isinstance(mistake.value, KeyringUnavailable)
