"""A key that was acknowledged is on two disks: it outlives the keyring's own."""

import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.platform.keyring_backup.base_backup import (
    BaseAltered,
    expire,
    verify_base,
)
from careline_cli.platform.keyring_backup.folder import BackupFolder, Base
from careline_cli.platform.keyring_backup.restore import (
    KeyringNotRestored,
    restore_keyring,
    verify_keyring,
)
from careline_cli.platform.keyring_backup.standby import keyring_server
from conftest import OpenBao
from embedded import BinaryMissing, DiskFull
from integration.cli.keyring_rig import keys, restored_keys, running_keyring, start_receiver
from integration.sealing.transit import mount_transit
from sealing.keyring import DataKey, KeyringUnavailable, Limits

CONTEXT = b"context"


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory.of(tmp_path / "data")


@pytest.fixture(scope="module", autouse=True)
def transit(openbao: OpenBao) -> None:
    mount_transit(openbao.client())


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def tenant() -> str:
    return f"t{uuid4().hex[:20]}"


async def test_a_key_outlives_the_kill_of_the_keyring_and_the_loss_of_its_disk(
    data: DataDirectory, openbao: OpenBao, tenant: str, said: list[str]
) -> None:
    async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
        keyring.take_base()
        key = await process.data_key(tenant, "conversations/1")
        sealed = key.encrypt(b"a word", CONTEXT)
        await keyring.kill()
    shutil.rmtree(data.root / "keyring")

    restored = await restore_keyring(data, say=said.append)

    async with restored_keys(data, openbao) as process:
        found = (await process.keys_by_id(tenant, [key.id]))[key.id]
    assert isinstance(found, DataKey)
    assert found.decrypt(*sealed, CONTEXT) == b"a word"
    assert restored.contents.data_keys == 1
    assert restored.reapplied is None


async def test_a_restored_keyring_is_backed_up_and_lost_and_restored_again(
    data: DataDirectory, openbao: OpenBao, tenant: str, said: list[str]
) -> None:
    made = []
    for number in range(3):
        async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
            keyring.take_base()
            made.append(await process.data_key(tenant, f"conversations/{number}"))
            await keyring.kill()
        shutil.rmtree(data.root / "keyring")
        await restore_keyring(data, say=said.append)

    async with restored_keys(data, openbao) as process:
        found = await process.keys_by_id(tenant, [key.id for key in made])
    assert {key.subject for key in found.values()} == {f"conversations/{n}" for n in range(3)}


async def test_a_lost_keyring_is_not_silently_replaced_by_an_empty_one(
    data: DataDirectory, said: list[str]
) -> None:
    async with running_keyring(data) as keyring:
        keyring.take_base()
    with pytest.raises(KeyringNotRestored, match="there is a keyring in"):
        await restore_keyring(data, say=said.append)
    shutil.rmtree(data.root / "keyring")

    with pytest.raises(DataDirectoryError, match="careline keyring restore"):
        keyring_server(data)


async def test_without_the_receiver_no_key_is_given_out_not_even_one_that_was_committed(
    data: DataDirectory, openbao: OpenBao, tenant: str
) -> None:
    short = Limits(timeout=1.0)
    async with running_keyring(data) as keyring:
        async with keys(keyring.server, openbao) as process:
            await process.data_key(tenant, "conversations/0")
        await keyring.receiver.stop()
        for _ in range(2):
            async with keys(keyring.server, openbao, short) as process:
                with pytest.raises(KeyringUnavailable):
                    await process.data_key(tenant, "conversations/1")

        receiver = await start_receiver(keyring.server, keyring.backups)
        async with keys(keyring.server, openbao) as process:
            key = await process.data_key(tenant, "conversations/1")
        await receiver.stop()
    assert key.subject == "conversations/1"


async def test_a_killed_receiver_goes_on_whatever_segment_it_left(
    data: DataDirectory, openbao: OpenBao, tenant: str
) -> None:
    async with running_keyring(data) as keyring:
        os.kill(keyring.receiver.pid, signal.SIGKILL)
        await keyring.receiver.ended()
        last = list(keyring.backups.segments())[-1]
        following = f"{int(last, 16) + 1:024X}.partial"
        (keyring.backups.wal / following).write_bytes(bytes(8192))

        receiver = await start_receiver(keyring.server, keyring.backups)
        async with keys(keyring.server, openbao) as process:
            key = await process.data_key(tenant, "conversations/1")
        await receiver.stop()
    assert key.subject == "conversations/1"


async def test_a_rehearsed_restore_finds_what_the_live_keyring_has(
    data: DataDirectory, openbao: OpenBao, tenant: str, said: list[str]
) -> None:
    async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
        keyring.take_base()
        for number in range(5):
            await process.data_key(tenant, f"conversations/{number}")

        verified = await verify_keyring(data, say=said.append)

    assert verified.ok
    assert verified.recovered.data_keys == 5
    assert not (data.root / "keyring.verifying").exists()


@pytest.mark.parametrize(
    "part",
    [
        "PG_VERSION",
        pytest.param("global/pg_control", marks=pytest.mark.long),
        pytest.param("backup_manifest", marks=pytest.mark.long),
    ],
)
async def test_an_altered_backup_is_found_and_an_earlier_one_gives_the_same_keyring(
    data: DataDirectory, openbao: OpenBao, tenant: str, said: list[str], part: str
) -> None:
    async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
        earlier = keyring.take_base()
        key = await process.data_key(tenant, "conversations/1")
        newest = keyring.take_base()
        await keyring.kill()
    flip(newest.folder / part)
    shutil.rmtree(data.root / "keyring")

    with pytest.raises(BaseAltered, match=part):
        verify_base(keyring.backups, newest.folder)
    restored = await restore_keyring(data, say=said.append)

    assert restored.base == earlier.folder.name
    assert any(part in line for line in said)
    async with restored_keys(data, openbao) as process:
        assert (await process.data_key(tenant, "conversations/1")).id == key.id


async def test_backups_expire_after_35_days_and_never_the_last_one(data: DataDirectory) -> None:
    async with running_keyring(data) as keyring:
        first, second = keyring.take_base(), keyring.take_base()
        begin = first.taken_at

        early = expire(keyring.server, keyring.backups, now=begin + timedelta(days=34, hours=23))
        kept = names(keyring.backups.current())
        due = expire(keyring.server, keyring.backups, now=begin + timedelta(days=35))
        late = expire(keyring.server, keyring.backups, now=begin + timedelta(days=400))
        segments = list(keyring.backups.segments())

    assert early.bases == ()
    assert kept == names([second, first])
    assert due.bases == (first.folder,)
    assert late.bases == ()
    assert names(keyring.backups.current()) == names([second])
    assert segments[0] == second.first_segment


def test_setting_backups_aside_goes_on_where_it_was_broken_off(data: DataDirectory) -> None:
    backups = BackupFolder.of(data)
    backups.create()
    (backups.wal / ("0" * 24)).touch()
    broken_off = backups.root / "before.new"
    broken_off.mkdir()
    backups.bases.rename(broken_off / "base")

    for _ in range(2):
        backups.set_aside(datetime.now(UTC))

    (earlier,) = backups.earlier()
    assert sorted(path.name for path in earlier.iterdir()) == ["base", "wal"]
    assert not backups.wal.exists()


async def test_a_backup_that_is_not_possible_is_one_clear_line(
    data: DataDirectory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with running_keyring(data) as keyring:
        with monkeypatch.context() as patched:
            patched.setattr("embedded.data_dir.NEEDED_MB", 1 << 40)
            with pytest.raises(DiskFull, match=r"keyring backup: the disk is full, .* free at"):
                keyring.take_base()
        with monkeypatch.context() as patched:
            patched.setattr("embedded.postgres_tools.postgres_folder", lambda: tmp_path)
            with pytest.raises(BinaryMissing, match="PostgreSQL: no binary"):
                keyring.take_base()
        assert keyring.backups.current() == []
        taken = keyring.take_base()
    assert taken.taken_at < datetime.now(UTC)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def names(bases: list[Base]) -> list[str]:
    return [base.folder.name for base in bases]
