import asyncio
import os
import resource
import signal
import stat
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from conftest import Database
from embedded import (
    DataDirInUse,
    DataDirNotOurs,
    PathTooLong,
    PostgresServer,
    PreparationFailed,
    SecretMissing,
    ServerDied,
    ServerProcess,
)
from embedded.polling import until
from integration.embedded.conftest import StartServer
from integration.embedded.processes import command_lines, crash, environments
from sqlalchemy import text


@asynccontextmanager
async def session(server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.dsn(), timeout=10)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


async def test_committed_rows_survive_a_stop_and_a_kill(start: StartServer, tmp_path: Path) -> None:
    server = PostgresServer(tmp_path)
    process = await start(server)
    async with session(server) as connection:
        await connection.execute("CREATE TABLE note (id int)")
        await connection.execute("INSERT INTO note VALUES (1)")
    await process.stop()
    process = await start(PostgresServer(tmp_path))
    async with session(server) as connection:
        await connection.execute("INSERT INTO note VALUES (2)")
        await crash(process)
    await start(server)
    async with session(server) as connection:
        assert await connection.fetchval("SELECT array_agg(id ORDER BY id) FROM note") == [1, 2]


async def test_it_is_version_18_durable_checked_and_the_same_on_every_machine(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path)
    await start(server)
    async with session(server) as connection:
        rows = await connection.fetch("SELECT name, setting FROM pg_settings")
        locale = await connection.fetchrow(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        )
    settings = {row["name"]: row["setting"] for row in rows}
    assert settings["server_version"].startswith("18.")
    assert settings["data_checksums"] == "on"
    assert settings["server_encoding"] == "UTF8"
    assert settings["TimeZone"] == "UTC"
    for durability in ("fsync", "synchronous_commit", "full_page_writes"):
        assert settings[durability] == "on"
    assert locale == (b"b", "C.UTF-8")


async def test_it_is_reached_over_its_unix_socket_only(
    postgres: PostgresServer,
) -> None:
    async with session(postgres) as connection:
        assert await connection.fetchval("SHOW listen_addresses") == ""
    assert stat.S_IMODE(postgres.socket_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("password", [None, "", "wrong"])
async def test_nobody_gets_in_without_the_password(
    postgres: PostgresServer, password: str | None
) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await asyncpg.connect(
            host=str(postgres.socket_dir), user="postgres", password=password, timeout=10
        )


async def test_the_password_is_on_no_command_line_and_in_no_environment(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path, durable=False)
    process = await start(server)
    password = (tmp_path / "superuser.password").read_bytes().strip()
    assert len(password) >= 43
    async with session(server):
        told = (*command_lines(process.pid), *environments(process.pid))
        assert len(told) > 2
        assert not any(password in one for one in told)
    assert password not in server.log_file.read_bytes()
    assert password.decode() not in repr(server)


async def test_its_log_holds_nothing_of_a_failed_statement(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path, durable=False)
    await start(server)
    async with session(server) as connection:
        await connection.execute("CREATE TABLE patient (mrn text PRIMARY KEY)")
        await connection.execute("INSERT INTO patient VALUES ('Jane Doe')")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO patient VALUES ('Jane Doe')")
        with pytest.raises(asyncpg.DataError):
            await connection.fetchval("SELECT 'Jane Doe'::text::int")
        with pytest.raises(asyncpg.PostgresConnectionError):
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid()), 'Jane Doe'")
    assert b"ready to accept connections" in server.log_file.read_bytes()
    assert b"Jane" not in server.log_file.read_bytes()


async def test_its_log_holds_nothing_of_what_a_killed_backend_ran(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path, durable=False)
    process = await start(server)
    connection = await asyncpg.connect(server.dsn(), timeout=10)
    backend = connection.get_server_pid()
    running = connection.execute("SELECT 'Jane Doe', pg_sleep(60)", timeout=60)
    async with session(server) as watcher:
        waiting = asyncio.ensure_future(running)
        await until_active(watcher, backend)
    # Not while others are connected: PostgreSQL ends all sessions when one backend is killed.
    os.kill(backend, signal.SIGKILL)
    with pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
        await waiting
    await process.ready()
    assert b"terminated by signal 9" in server.log_file.read_bytes()
    assert b"Jane" not in server.log_file.read_bytes()


async def until_active(watcher: asyncpg.Connection, backend: int) -> None:
    async def active() -> bool:
        state = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1"
        return bool(await watcher.fetchval(state, backend))

    async with asyncio.timeout(10):
        await until(active)


async def test_a_stale_lock_file_with_another_process_s_id_is_no_hindrance(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path, durable=False)
    await crash(await start(server))
    lock_file = tmp_path / "cluster" / "postmaster.pid"
    lines = lock_file.read_text().splitlines()
    bystander = await start(PostgresServer(tmp_path.with_name("bystander"), durable=False))
    lock_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
    await start(server)


async def test_a_stale_lock_file_of_the_socket_is_no_hindrance_either(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path, durable=False)
    await crash(await start(server))
    lock_file = server.socket_dir / ".s.PGSQL.5432.lock"
    lines = lock_file.read_text().splitlines()
    bystander = await start(PostgresServer(tmp_path.with_name("bystander"), durable=False))
    lock_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
    await start(server)


async def test_a_server_that_somebody_else_started_on_the_data_is_left_alone(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path, durable=False)
    process = await start(server)
    with pytest.raises(DataDirInUse):
        server.prepare()
    async with session(server) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    assert await process.stop() == 0


async def test_a_half_made_cluster_is_made_anew(start: StartServer, tmp_path: Path) -> None:
    (tmp_path / "cluster.new" / "base").mkdir(parents=True)
    (tmp_path / "cluster.new" / "PG_VERSION").write_text("18\n")
    await start(PostgresServer(tmp_path, durable=False))
    assert not (tmp_path / "cluster.new").exists()


async def test_it_says_its_long_step_once(tmp_path: Path) -> None:
    steps: list[str] = []
    for _ in range(2):
        process = await ServerProcess.start(PostgresServer(tmp_path, durable=False), steps.append)
        await process.ready()
        await process.stop()
    assert steps == ["creating the database cluster"]


async def test_a_broken_cluster_is_one_line_that_names_the_log(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path, durable=False)
    await (await start(server)).stop()
    (tmp_path / "cluster" / "global" / "pg_control").unlink()
    with pytest.raises(ServerDied) as died:
        await start(server)
    assert str(died.value) == f"postgres: ended with status 2; see the end of {server.log_file}"


def test_a_cluster_that_cannot_be_made_is_one_line_that_names_the_log(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, durable=False)
    _, hard = limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(PreparationFailed) as failed:
            server.prepare()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert str(failed.value) == (
        f"postgres: creating the database cluster failed; see the end of {server.log_file}"
    )
    assert not (tmp_path / "cluster").exists()


async def test_a_lost_password_file_is_said(start: StartServer, tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, durable=False)
    await start(server)
    (tmp_path / "superuser.password").unlink()
    with pytest.raises(SecretMissing, match=r"superuser\.password is missing; put it back"):
        server.dsn()


@pytest.mark.parametrize("name", ["x" * 80, "one,two", 'it\'s "quoted"', "zwölf", "a b\\c"])
async def test_its_data_directory_may_have_any_name(
    start: StartServer, tmp_path: Path, name: str
) -> None:
    server = PostgresServer(tmp_path / name, durable=False)
    process = await start(server)
    async with session(server) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await process.stop()
    assert server.socket_dir.is_relative_to(tmp_path) or not server.socket_dir.exists()


async def test_with_a_long_path_the_socket_alone_lies_outside_and_goes_with_the_server(
    start: StartServer, tmp_path: Path
) -> None:
    server = PostgresServer(tmp_path / ("x" * 80), durable=False)
    assert server.socket_dir.parent == Path(tempfile.gettempdir())
    for end in (ServerProcess.stop, crash):
        process = await start(server)
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert {file.name for file in server.socket_dir.iterdir()} == {
            ".s.PGSQL.5432",
            ".s.PGSQL.5432.lock",
        }
        await end(process)
        assert not server.socket_dir.exists()


async def test_a_folder_that_another_put_in_the_socket_s_place_is_refused(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / ("x" * 100), durable=False)
    server.socket_dir.symlink_to(tmp_path)
    try:
        with pytest.raises(DataDirNotOurs):
            await ServerProcess.start(server)
    finally:
        server.socket_dir.unlink()


def test_a_path_that_is_too_long_everywhere_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("y" * 80)))
    with pytest.raises(PathTooLong, match="use a shorter data directory or a shorter TMPDIR"):
        PostgresServer(tmp_path / ("x" * 80))


async def test_the_fixture_s_databases_are_fresh_and_gone_afterwards(
    create_database: Callable[[], AbstractAsyncContextManager[Database]], postgres: PostgresServer
) -> None:
    async with create_database() as one, create_database() as other:
        assert one.name != other.name
        async with one.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE note (id int)"))
        async with other.engine.connect() as connection:
            note = await connection.execute(text("SELECT to_regclass('note')"))
            assert note.scalar_one() is None
    async with session(postgres) as administration:
        found = "SELECT count(*) FROM pg_database WHERE datname = any($1)"
        assert await administration.fetchval(found, [one.name, other.name]) == 0
