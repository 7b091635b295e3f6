"""Vault sealed, stopped and hanging: what goes on, what is refused, and how it comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack

import hvac
import pytest
import requests
from conftest import CreateDatabase
from embedded.openbao import OpenBaoServer
from embedded.process import ServerProcess
from hvac.exceptions import Forbidden
from integration.sealing.rig import Process, Rig, keyring_rig
from integration.sealing.transit import MOUNT, mount_transit
from sealing.keyring import Keyring, KeyringUnavailable, Limits
from sealing.sealer import Sealer
from unit.sealing.compiled import example

LIMITS = Limits(data_key_age=60, tenant_key_age=600)


class Vault:
    """A server of this module's own, which is sealed and stopped."""

    def __init__(self, server: OpenBaoServer, sessions: ExitStack) -> None:
        self._server = server
        self._sessions = sessions
        self._process: ServerProcess | None = None
        self.token = ""

    def client(self) -> hvac.Client:
        session = self._sessions.enter_context(requests.Session())
        session.trust_env = False
        return hvac.Client(self._server.url, token=self.token, session=session, timeout=5)

    async def start(self) -> None:
        self._process = await ServerProcess.start(self._server)
        await self._process.ready()

    async def initialize(self) -> None:
        self.token = (await self._server.initialize()).root_token
        mount_transit(self.client())

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()
            self._process = None

    async def seal(self) -> None:
        await asyncio.to_thread(self.client().sys.seal)


@pytest.fixture(scope="module")
async def own_vault(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Vault]:
    with ExitStack() as sessions:
        server = Vault(OpenBaoServer(tmp_path_factory.mktemp("vault")), sessions)
        await server.start()
        try:
            await server.initialize()
            yield server
        finally:
            await server.stop()


@pytest.fixture(scope="module")
async def own_rig(create_database: CreateDatabase, own_vault: Vault) -> AsyncIterator[Rig]:
    async with (
        create_database() as database,
        keyring_rig(database.engine, database.url, own_vault.client) as made,
    ):
        yield made


async def goes_on_and_then_says_what_to_do(process: Process, rig: Rig, tenant: str) -> None:
    """Vault is away now; it was there when the process got its first key."""
    await process.keyring.data_key(tenant, "conversations/1")
    await process.keyring.data_key(tenant, "conversations/2")
    process.clock.now += 599
    await process.keyring.data_key(tenant, "conversations/3")
    await process.keyring.index_key(tenant, "code")
    process.clock.now += 1
    for _ in range(2):
        with pytest.raises(KeyringUnavailable, match="unseal or start Vault"):
            await process.keyring.data_key(tenant, "conversations/4")
        with pytest.raises(KeyringUnavailable, match="unseal or start Vault"):
            await process.keyring.data_key(tenant, "conversations/1")
        with pytest.raises(KeyringUnavailable, match="unseal or start Vault"):
            await process.keyring.index_key(tenant, "code")
    with pytest.raises(KeyringUnavailable):
        await (await rig.process()).keyring.data_key(tenant, "conversations/1")
    assert (
        await rig.rows(
            "SELECT 1 FROM keyring.data_key WHERE tenant = :t AND subject = 'conversations/4'",
            t=tenant,
        )
        == []
    )


async def test_a_sealed_vault_is_survived_for_the_age_of_the_tenants_key(
    own_rig: Rig, own_vault: Vault, tenant: str
) -> None:
    process = await own_rig.process(limits=LIMITS)
    key = await process.keyring.data_key(tenant, "conversations/1")

    await own_vault.seal()
    try:
        await goes_on_and_then_says_what_to_do(process, own_rig, tenant)
    finally:
        await own_vault.stop()
        await own_vault.start()

    assert (await process.keyring.data_key(tenant, "conversations/1")).id == key.id
    assert (await process.keyring.data_key(tenant, "conversations/4")).tenant == tenant


async def test_a_stopped_vault_is_survived_likewise_and_its_return_needs_no_restart(
    own_rig: Rig, own_vault: Vault, tenant: str
) -> None:
    process = await own_rig.process(limits=LIMITS)
    sealer = Sealer(process.keyring)
    place = {"tenant": tenant, "log": "visits", "stream": "conversations/1"}
    key = await process.keyring.data_key(tenant, "conversations/1")

    await own_vault.stop()
    try:
        await goes_on_and_then_says_what_to_do(process, own_rig, tenant)
    finally:
        await own_vault.start()

    note = example("VisitNoted")(text="My chest hurts")
    sealed = await sealer.seal(note, subject="conversations/1", event_id=key.id, **place)
    assert sealed.sealed.key_id == key.id.bytes


async def test_many_who_wait_for_a_lost_vault_all_hear_of_it_at_once(
    own_rig: Rig, own_vault: Vault, tenant: str
) -> None:
    process = await own_rig.process()
    await own_vault.stop()
    try:
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(
                *(
                    process.keyring.data_key(tenant, f"conversations/{number}")
                    for number in range(100)
                ),
                return_exceptions=True,
            )
    finally:
        await own_vault.start()

    assert {type(outcome) for outcome in outcomes} == {KeyringUnavailable}
    assert process.transit.wraps < 100


async def test_a_vault_that_hangs_is_given_up_after_the_timeout(own_rig: Rig, tenant: str) -> None:
    class Hanging:
        async def wrap(self, tenant: str, plaintext: bytes) -> str:
            await asyncio.Event().wait()
            raise AssertionError(tenant, plaintext)

        async def unwrap(self, tenant: str, wrapped: str) -> bytes:
            raise AssertionError(tenant, wrapped)

    engine = (await own_rig.process()).engine
    async with Keyring(engine, Hanging(), limits=Limits(timeout=0.2)) as keyring:
        with pytest.raises(KeyringUnavailable, match="Vault is away"):
            await keyring.data_key(tenant, "conversations/1")


async def test_a_key_that_vault_wraps_but_does_not_unwrap_for_us_seals_nothing(
    own_rig: Rig, own_vault: Vault, tenant: str
) -> None:
    root = own_vault.client()
    policy = f'path "{MOUNT}/encrypt/*" {{ capabilities = ["create", "update"] }}'
    await asyncio.to_thread(root.sys.create_or_update_policy, "wrap-only", policy)
    created = await asyncio.to_thread(root.auth.token.create, policies=["wrap-only"])
    process = await own_rig.process()
    process.transit._client.token = created["auth"]["client_token"]

    with pytest.raises(Forbidden):
        await process.keyring.data_key(tenant, "conversations/1")

    assert await own_rig.rows("SELECT 1 FROM keyring.data_key WHERE tenant = :t", t=tenant) == []
