import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from embedded import (
    DataDirInUse,
    NotReady,
    ServerDied,
    ServerProcess,
    launched,
)
from embedded.data_dir import lock_data_dir
from integration.embedded.conftest import MakeServer, StartServer
from integration.embedded.processes import crash, environments, written_files

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


async def test_it_stops_cleanly_and_starts_again_on_its_data(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    for _ in range(2):
        process = await start(make_server(tmp_path / "data"))
        assert await process.stop() == 0


async def test_killed_it_starts_again_on_its_data(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    server = make_server(tmp_path / "data")
    assert await crash(await start(server)) == -signal.SIGKILL
    await start(server)


async def test_all_that_it_writes_lies_in_its_data_directory(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    process = await start(make_server(tmp_path / "data"))
    files = written_files(process.pid)
    assert files
    assert {file for file in files if not file.is_relative_to(tmp_path / "data")} == set()


async def test_nobody_else_may_read_what_it_writes(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    await start(make_server(tmp_path / "data"))
    entries = list((tmp_path / "data").iterdir())
    assert {entry.name for entry in entries if entry.stat().st_mode & 0o077} == set()
    # Root's PostgreSQL passes through as another user, who may not list it.
    assert not (tmp_path / "data").stat().st_mode & 0o066


async def test_two_run_side_by_side(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    one = await start(make_server(tmp_path / "one"))
    other = await start(make_server(tmp_path / "other"))
    assert one.pid != other.pid


async def test_a_second_one_on_the_same_data_is_refused(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    server = make_server(tmp_path / "data")
    await start(server)
    with pytest.raises(DataDirInUse, match=r"already running on .*; stop it first"):
        await lock_data_dir(server.name, server.data_dir, within=0.1)


async def test_a_killed_one_s_last_process_is_waited_for(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    server = make_server(tmp_path / "data")
    process = await start(server)
    os.kill(process.pid, signal.SIGSTOP)
    starting = asyncio.ensure_future(start(server))
    done, _ = await asyncio.wait((starting,), timeout=0.3)
    assert not done
    os.kill(process.pid, signal.SIGKILL)
    await starting


async def test_it_hears_nothing_of_a_ctrl_c_at_the_terminal(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    process = await start(make_server(tmp_path / "data"))
    assert os.getsid(process.pid) == process.pid
    assert os.getsid(process.pid) != os.getsid(0)


async def test_it_gets_nothing_of_our_environment(
    make_server: MakeServer, start: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATIENT_LINE_SECRET", "hunter2")
    process = await start(make_server(tmp_path / "data"))
    assert not any(b"hunter2" in one for one in environments(process.pid))


async def test_one_that_ends_before_it_serves_says_where_to_look(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server(tmp_path / "data")
    process = await ServerProcess.start(server)
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(ServerDied) as died:
        await process.ready()
    await process.ended()
    assert died.value.code == -signal.SIGKILL
    assert str(died.value) == (
        f"{server.name}: was killed by signal 9; see the end of {server.log_file}"
    )


async def until_stopped(pid: int) -> None:
    """Wait until the kernel has stopped every thread, which a busy machine takes its time for."""
    async with asyncio.timeout(10):
        while thread_states(pid) != {"T"}:  # noqa: ASYNC110 - the states are the kernel's
            await asyncio.sleep(0.01)


def thread_states(pid: int) -> set[str]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks}


async def test_one_that_does_not_answer_in_time_is_not_ready(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    server = make_server(tmp_path / "data")
    process = await start(server)
    os.kill(process.pid, signal.SIGSTOP)
    await until_stopped(process.pid)
    with pytest.raises(NotReady, match=r"not ready after 0\.2 s; see the end of"):
        await process.ready(within=0.2)
    os.kill(process.pid, signal.SIGCONT)


async def test_one_that_does_not_stop_is_killed(
    make_server: MakeServer, start: StartServer, tmp_path: Path
) -> None:
    process = await start(make_server(tmp_path / "data"))
    os.kill(process.pid, signal.SIGSTOP)
    assert await process.stop(grace=0.2) == -signal.SIGKILL


async def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    """A shell in the place of the server: it is the launcher that sees to it."""
    ended = tmp_path / "ended"
    child = launched(
        (
            "/bin/sh",
            "-c",
            f"trap 'touch {ended}; exit' TERM; echo up; while :; do sleep 0.05; done",
        ),
        stop_signal=signal.SIGTERM,
    )
    parent_id = child.index(str(os.getpid()))
    script = (
        "import os, subprocess, sys, time\n"
        f"argv = {child!r}\n"
        f"argv = argv[:{parent_id}] + (str(os.getpid()),) + argv[{parent_id} + 1:]\n"
        "subprocess.Popen(argv)\n"
        "time.sleep(60)\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env=ENVIRONMENT
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"up\n"
    parent.kill()
    await parent.wait()
    # The pipe closes when its last writer, the server, has ended.
    async with asyncio.timeout(10):
        assert await parent.stdout.read() == b""
    assert ended.exists()


async def test_it_does_not_start_when_the_process_that_started_it_has_ended_already() -> None:
    argv = launched(("/bin/echo", "started"), stop_signal=signal.SIGTERM)
    somebody_else = tuple("1" if part == str(os.getpid()) else part for part in argv)
    process = await asyncio.create_subprocess_exec(
        *somebody_else,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
    )
    out, error = await process.communicate()
    assert (out, error) == (b"", b"the starting process ended first\n")
    assert process.returncode != 0
