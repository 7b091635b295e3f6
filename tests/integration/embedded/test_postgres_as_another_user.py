"""PostgreSQL refuses root: run by root it becomes another user, run by anybody else it stays."""

import asyncio
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded import PostgresServer, launched
from embedded.account import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, NOBODY, Account, account_for
from embedded.wheels import postgres_folder
from integration.embedded.conftest import StartServer
from integration.embedded.processes import status, statuses, told_of_family

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

RUN_ONCE = Path(__file__).with_name("run_postgres_once.py")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder that everybody may enter, as pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def test_no_process_of_it_is_root_or_may_do_more_than_read(
    start: StartServer, tmp_path: Path
) -> None:
    process = await start(PostgresServer(tmp_path / "data", durable=False))
    for of_process in told_of_family(process.pid, lambda folder: statuses(int(folder.name))):
        assert set(of_process["Uid"].split()) == {str(NOBODY)}
        assert set(of_process["Gid"].split()) == {str(NOBODY)}
        assert of_process["Groups"] == ""
        for held in ("CapPrm", "CapEff", "CapAmb"):
            assert int(of_process[held], 16) in (0, 1 << CAP_DAC_READ_SEARCH)


def test_it_keeps_nothing_of_root_s_rights_where_it_needs_none(open_folder: Path) -> None:
    data = open_folder / "data"
    assert account_for("postgres", data, Path("/bin/sh")) == Account(NOBODY, NOBODY, None)


def test_below_a_closed_folder_it_keeps_the_right_to_pass(open_folder: Path) -> None:
    inside = open_folder / "closed" / "inside"
    inside.parent.mkdir(mode=0o700)
    for data, program in ((inside, Path("/bin/sh")), (open_folder / "data", inside)):
        account = account_for("postgres", data, program)
        assert account == Account(NOBODY, NOBODY, CAP_DAC_READ_SEARCH)


async def test_its_wheel_may_lie_below_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    """As a checkout below /root does: folder, wheel and modes stay as they were."""
    site = tmp_path / "closed" / "site"
    wheel = postgres_folder().parent
    for folder in (wheel.name, f"{wheel.name}.libs"):
        shutil.copytree(
            wheel.with_name(folder), site / folder, ignore=shutil.ignore_patterns("pginstall")
        )
    for path in site.rglob("*"):
        # As pip and uv install under umask 077: only the right to execute is everybody's.
        path.chmod(path.stat().st_mode & (0o700 if path.is_dir() else 0o711))
    site.parent.chmod(0o700)
    answer = await run_once((sys.executable, str(RUN_ONCE), str(tmp_path / "data")), path=site)
    assert answer == f"postgres {NOBODY} {site}"
    assert stat.S_IMODE(site.parent.stat().st_mode) == 0o700


async def test_where_reading_alone_is_not_permitted_it_keeps_the_right_to_read_and_write(
    tmp_path: Path,
) -> None:
    """As in a container of a common kind, whose root lacks the one and has the other."""
    answer = await run_once(without((CAP_DAC_READ_SEARCH,), tmp_path / "data"))
    assert answer == f"postgres {NOBODY} {postgres_folder().parents[1]}"


async def test_where_neither_is_permitted_the_closed_folder_is_named(tmp_path: Path) -> None:
    rights = (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)
    answer = await run_once(without(rights, tmp_path / "data"))
    assert answer.startswith("postgres: does not run as root, and another user cannot enter /")
    assert answer.endswith("; move project and data directory out of it, or run as another user")


async def test_existing_data_keeps_its_owner(start: StartServer, tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, durable=False)
    await (await start(server)).stop()
    for path in (tmp_path / "cluster", *(tmp_path / "cluster").rglob("*"), tmp_path / "socket"):
        os.chown(path, 4321, 4321)
    process = await start(server)
    assert set(status(process.pid, "Uid").split()) == {"4321"}


async def test_run_by_another_user_it_stays_that_user(open_folder: Path) -> None:
    """The interpreter may lie below /root, so that user may read all, but write only here."""
    os.chown(open_folder, NOBODY, NOBODY)
    nobody = Account(NOBODY, NOBODY, CAP_DAC_READ_SEARCH)
    argv = launched(
        (sys.executable, str(RUN_ONCE), str(open_folder / "data")),
        stop_signal=signal.SIGTERM,
        account=nobody,
    )
    assert await run_once(argv) == f"postgres {NOBODY} {postgres_folder().parents[1]}"
    assert (open_folder / "data").stat().st_uid == NOBODY
    assert stat.S_IMODE((open_folder / "data").stat().st_mode) == 0o700


async def test_another_user_s_data_directory_is_one_line(open_folder: Path) -> None:
    (open_folder / "data").mkdir(mode=0o700)
    nobody = Account(NOBODY, NOBODY, CAP_DAC_READ_SEARCH)
    argv = launched(
        (sys.executable, str(RUN_ONCE), str(open_folder / "data")),
        stop_signal=signal.SIGTERM,
        account=nobody,
    )
    assert await run_once(argv) == (
        f"postgres: {open_folder / 'data'} belongs to another user; "
        "run as that user or choose another data directory"
    )


def without(capabilities: tuple[int, ...], data: Path) -> tuple[str, ...]:
    """Run the script by a root that has lost these (prctl(2), PR_CAPBSET_DROP is 24)."""
    script = (
        "import ctypes, os\n"
        f"for capability in {capabilities}:\n"
        "    assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0\n"
        f"os.execv({sys.executable!r}, {(sys.executable, str(RUN_ONCE), str(data))!r})\n"
    )
    return (sys.executable, "-c", script)


async def run_once(argv: tuple[str, ...], *, path: Path | None = None) -> str:
    """Run the script, with the modules at `path` before all others; returns what it printed."""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(path or "")}
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, env=environment
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return out.decode()
