import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import nats.errors
import pytest
from conftest import Nats, trust_in
from embedded import NatsServer, NatsTrust
from integration.embedded.conftest import StartServer
from integration.embedded.processes import crash
from messaging.accounts import PLATFORM_LIMITS, NatsOperator
from messaging.permissions import Permissions
from nats.aio.client import Client

EVERYTHING = Permissions(publish=(">",), subscribe=(">",))
FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def operator() -> NatsOperator:
    return NatsOperator.generate()


@pytest.fixture
def server(operator: NatsOperator, tmp_path: Path) -> NatsServer:
    return NatsServer(tmp_path / "data", trust_in(operator))


@asynccontextmanager
async def session(server: NatsServer, credentials: Path | None) -> AsyncIterator[Client]:
    client = Client()
    user = None if credentials is None else str(credentials)
    try:
        await client.connect(
            server.url, user_credentials=user, allow_reconnect=False, connect_timeout=5
        )
        yield client
    finally:
        await client.close()


@pytest.fixture
def platform_user(operator: NatsOperator, tmp_path: Path) -> Path:
    file = tmp_path / "platform.creds"
    file.write_text(operator.platform.credentials("test", EVERYTHING).text)
    return file


@pytest.fixture
def system_user(operator: NatsOperator, tmp_path: Path) -> Path:
    file = tmp_path / "system.creds"
    file.write_text(operator.system.credentials("test", EVERYTHING).text)
    return file


async def test_acknowledged_messages_survive_a_stop_and_a_kill(
    server: NatsServer, platform_user: Path, start: StartServer
) -> None:
    process = await start(server)
    async with session(server, platform_user) as client:
        await client.jetstream().add_stream(name="NOTES", subjects=["notes"])
        await client.jetstream().publish("notes", b"one")
    await process.stop()
    process = await start(server)
    async with session(server, platform_user) as client:
        await client.jetstream().publish("notes", b"two")
    await crash(process)
    await start(server)
    async with session(server, platform_user) as client:
        stream = await client.jetstream().stream_info("NOTES")
    assert stream.state.messages == 2


async def test_nobody_gets_in_without_credentials_of_a_known_account(
    server: NatsServer, start: StartServer, tmp_path: Path
) -> None:
    await start(server)
    stranger = tmp_path / "stranger.creds"
    stranger.write_text(NatsOperator.generate().platform.credentials("x", EVERYTHING).text)
    for credentials in (None, stranger):
        with pytest.raises(nats.errors.Error, match="Authorization Violation"):
            async with session(server, credentials):
                pass


async def test_an_account_s_later_state_outlives_a_restart_with_the_first_one(
    operator: NatsOperator,
    server: NatsServer,
    platform_user: Path,
    system_user: Path,
    start: StartServer,
) -> None:
    """A revocation is not undone by the accounts that the server is always given at its start."""
    process = await start(server)
    revoked = operator.account_jwt(
        operator.platform, limits=PLATFORM_LIMITS, revocations={"*": FAR_AHEAD}
    )
    async with session(server, system_user) as client:
        answer = await client.request("$SYS.REQ.CLAIMS.UPDATE", revoked.encode(), timeout=5)
    assert json.loads(answer.data)["data"]["code"] == 200
    await process.stop()
    # The age of a JWT counts in whole seconds: what is given at the restart is to be the younger.
    await asyncio.sleep(1.1)
    await start(NatsServer(server.data_dir, trust_in(operator)))
    with pytest.raises(nats.errors.Error, match="Authorization Violation"):
        async with session(server, platform_user):
            pass


async def test_every_write_is_synced_unless_told_otherwise(tmp_path: Path) -> None:
    trust = NatsTrust("operator", "system", {})
    for sync_always, written in ((True, "always"), (False, None)):
        server = NatsServer(tmp_path / str(sync_always), trust, sync_always=sync_always)
        server.data_dir.mkdir()
        server.prepare()
        config = json.loads((server.data_dir / "nats.conf").read_text())
        assert config["jetstream"].get("sync_interval") == written
        assert config["max_payload"] == 1_048_576


async def test_its_data_directory_may_have_any_name(
    operator: NatsOperator, platform_user: Path, start: StartServer, tmp_path: Path
) -> None:
    server = NatsServer(tmp_path / 'it\'s "a, b" zwölf $HOME', trust_in(operator))
    await start(server)
    async with session(server, platform_user) as client:
        await client.jetstream().add_stream(name="NOTES", subjects=["notes"])
    assert (server.data_dir / "jetstream").is_dir()


async def test_the_fixture_s_user_may_do_everything_on_the_platform(nats: Nats) -> None:
    client = await nats.connect()
    stream = await client.jetstream().add_stream(name="EMBEDDED_TEST", subjects=["embedded.test"])
    await client.jetstream().publish("embedded.test", b"one")
    assert stream.config.name == "EMBEDDED_TEST"
    assert await client.jetstream().delete_stream("EMBEDDED_TEST")
    await client.close()
