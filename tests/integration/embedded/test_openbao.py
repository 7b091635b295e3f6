import asyncio
import base64
from pathlib import Path

import hvac
import pytest
import requests
from conftest import OpenBao
from embedded import AlreadyInitialized, OpenBaoServer, SecretMissing, ServerProcess
from embedded.local_http import get
from integration.embedded.conftest import StartServer
from integration.embedded.processes import command_lines, crash, environments


def test_the_fixture_s_client_is_root(openbao: OpenBao) -> None:
    assert openbao.client().auth.token.lookup_self()["data"]["policies"] == ["root"]
    assert openbao.client("wrong").is_authenticated() is False
    assert openbao.root_token not in repr(openbao)


async def test_it_unseals_itself_after_a_stop_and_a_kill_and_keeps_its_secrets(
    start: StartServer, tmp_path: Path
) -> None:
    server = OpenBaoServer(tmp_path / "data")
    process = await start(server)
    token = (await server.initialize()).root_token
    await asyncio.to_thread(write_secret, server.url, token)
    await process.stop()
    process = await start(server)
    assert await asyncio.to_thread(read_secret, server.url, token) == "kept"
    await crash(process)
    await start(OpenBaoServer(tmp_path / "data"))
    assert await asyncio.to_thread(read_secret, server.url, token) == "kept"


async def test_it_gives_out_its_root_token_once(start: StartServer, tmp_path: Path) -> None:
    server = OpenBaoServer(tmp_path / "data")
    process = await start(server)
    given = await server.initialize()
    assert len(base64.b64decode(given.recovery_key)) == 32
    assert given.root_token not in repr(given)
    assert given.recovery_key not in repr(given)
    for _ in range(2):
        with pytest.raises(AlreadyInitialized, match="given out once, at the first run"):
            await server.initialize()
        await process.stop()
        process = await start(server)


async def test_no_secret_of_it_is_on_a_command_line_in_an_environment_or_in_a_log(
    start: StartServer, tmp_path: Path
) -> None:
    server = OpenBaoServer(tmp_path / "data")
    process = await start(server)
    given = await server.initialize()
    await asyncio.to_thread(write_secret, server.url, given.root_token)
    seal_key = (tmp_path / "data" / "seal.key").read_text()
    assert len(base64.b64decode(seal_key)) == 32
    for told in (*command_lines(process.pid), *environments(process.pid)):
        assert seal_key.encode() not in told
    audit = server.audit_file.read_text()
    assert "secret/data/note" in audit
    for secret in (seal_key, given.root_token, given.recovery_key, "kept"):
        assert secret not in audit
        assert secret not in server.log_file.read_text()


async def test_data_without_its_seal_key_is_not_overwritten_but_said(
    start: StartServer, tmp_path: Path
) -> None:
    server = OpenBaoServer(tmp_path / "data")
    process = await start(server)
    await server.initialize()
    await process.stop()
    (tmp_path / "data" / "seal.key").unlink()
    with pytest.raises(SecretMissing, match=r"seal\.key is missing; put it back"):
        await ServerProcess.start(server)
    assert not (tmp_path / "data" / "seal.key").exists()


async def test_it_is_ready_to_be_initialised_before_it_is(
    start: StartServer, tmp_path: Path
) -> None:
    server = OpenBaoServer(tmp_path / 'it\'s "a, b" zwölf ${HOME}')
    await start(server)
    await server.initialize()
    health = await get(int(server.url.rpartition(":")[2]), "/v1/sys/health")
    assert health is not None
    assert health.status == 200


def client(session: requests.Session, url: str, token: str) -> hvac.Client:
    session.trust_env = False
    return hvac.Client(url, token=token, session=session)


def write_secret(url: str, token: str) -> None:
    with requests.Session() as session:
        root = client(session, url, token)
        root.sys.enable_secrets_engine("kv", path="secret", options={"version": "1"})
        root.secrets.kv.v1.create_or_update_secret(
            "data/note", {"text": "kept"}, mount_point="secret"
        )


def read_secret(url: str, token: str) -> str:
    with requests.Session() as session:
        answer = client(session, url, token).secrets.kv.v1.read_secret(
            "data/note", mount_point="secret"
        )
    return str(answer["data"]["text"])
