"""A keyring comes back with all of its log or not at all: a gap is not taken for the log's end."""

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.folder import SEGMENT_BYTES
from careline_cli.platform.keyring_backup.recovery import NotRecovered
from careline_cli.platform.keyring_backup.restore import restore_keyring
from careline_cli.provision.provisioned import superuser_engine
from conftest import OpenBao
from embedded import PostgresServer
from integration.cli.keyring_rig import keys, running_keyring
from integration.sealing.transit import mount_transit
from sqlalchemy import text

# Behind the header of a segment's first page, in its first record.
FIRST_RECORD = 48


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory.of(tmp_path / "data")


@pytest.fixture(scope="module", autouse=True)
def transit(openbao: OpenBao) -> None:
    mount_transit(openbao.client())


@pytest.fixture
def tenant() -> str:
    return f"t{uuid4().hex[:20]}"


def flip(segment: Path, at: int) -> None:
    content = bytearray(segment.read_bytes())
    content[at] ^= 1
    segment.write_bytes(content)


def flip_first_record(segment: Path) -> None:
    flip(segment, FIRST_RECORD)


@pytest.mark.parametrize(
    "fault",
    [
        flip_first_record,
        pytest.param(Path.unlink, marks=pytest.mark.long),
        pytest.param(None, marks=pytest.mark.long),
    ],
)
async def test_a_keyring_does_not_come_back_without_what_is_behind_a_gap_in_its_log(
    data: DataDirectory,
    openbao: OpenBao,
    tenant: str,
    fault: Callable[[Path], None] | None,
) -> None:
    async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
        first = keyring.take_base().first_segment
        for number in range(3):
            await process.data_key(tenant, f"conversations/{number}")
            await begin_segment(keyring.server)
        await process.data_key(tenant, "conversations/3")
        await keyring.kill()
    shutil.rmtree(data.root / "keyring")
    behind = [name for name in keyring.backups.segments() if name > first]
    if fault is None:
        assert (await restore_keyring(data, say=lambda _: None)).contents.data_keys == 4
        return
    fault(keyring.backups.wal / behind[0])

    with pytest.raises(NotRecovered, match=rf"the log ends at .* goes on to {behind[-1]}"):
        await restore_keyring(data, say=lambda _: None)

    assert not (data.root / "keyring" / "cluster").exists()


@pytest.mark.parametrize("part", [0.5, pytest.param(0.0, marks=pytest.mark.long)])
async def test_a_keyring_does_not_come_back_without_what_is_behind_a_fault_in_its_last_segment(
    data: DataDirectory, openbao: OpenBao, tenant: str, part: float
) -> None:
    async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
        keyring.take_base()
        await begin_segment(keyring.server)
        for number in range(100):
            await process.data_key(tenant, f"conversations/{number}")
        await keyring.kill()
    shutil.rmtree(data.root / "keyring")
    last = keyring.backups.wal / f"{list(keyring.backups.segments())[-1]}.partial"
    at = FIRST_RECORD + int(part * len(last.read_bytes().rstrip(b"\0")))
    flip(last, at)

    with pytest.raises(NotRecovered, match="altered, and the log goes on behind that"):
        await restore_keyring(data, say=lambda _: None)

    flip(last, at)
    restored = await restore_keyring(data, say=lambda _: None)
    assert restored.contents.data_keys == 100


async def test_a_keyring_whose_whole_log_is_missing_does_not_come_back_as_its_base_backup(
    data: DataDirectory,
) -> None:
    async with running_keyring(data) as keyring:
        base = keyring.take_base()
    shutil.rmtree(data.root / "keyring")
    shutil.rmtree(keyring.backups.wal)

    with pytest.raises(NotRecovered, match=f"segment {base.first_segment} .* is missing"):
        await restore_keyring(data, say=lambda _: None)


async def test_a_segment_that_was_made_and_not_yet_written_is_no_gap(
    data: DataDirectory, openbao: OpenBao, tenant: str
) -> None:
    async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
        keyring.take_base()
        await process.data_key(tenant, "conversations/1")
        await keyring.kill()
    shutil.rmtree(data.root / "keyring")
    last = list(keyring.backups.segments())[-1]
    with (keyring.backups.wal / f"{int(last, 16) + 1:024X}.partial").open("wb") as made:
        made.truncate(SEGMENT_BYTES)

    restored = await restore_keyring(data, say=lambda _: None)

    assert restored.contents.data_keys == 1


async def begin_segment(server: PostgresServer) -> None:
    """Go on in the next segment of the log."""
    async with superuser_engine(server, "postgres") as engine, engine.connect() as connection:
        await connection.execute(text("select pg_switch_wal()"))
