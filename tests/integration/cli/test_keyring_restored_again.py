"""A restore of the keyring that is broken off, repeated, or follows another one."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.base_backup import expire
from careline_cli.platform.keyring_backup.folder import BackupFolder
from careline_cli.platform.keyring_backup.lock import BackupsInUse, held
from careline_cli.platform.keyring_backup.marks import RestoreMarks
from careline_cli.platform.keyring_backup.restore import (
    KeyringNotRestored,
    restore_keyring,
    settle_restored,
    verify_keyring,
)
from integration.cli.keyring_rig import running_keyring

RESTORE = "careline_cli.platform.keyring_backup.restore"


class BrokenOff(Exception):
    """Where a kill would have come."""


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return DataDirectory.of(tmp_path / "data")


@pytest.mark.parametrize(
    "before", ["settle_restored", pytest.param("_reapply_here", marks=pytest.mark.long)]
)
async def test_a_restore_broken_off_with_the_keyring_in_place_goes_on_when_repeated(
    data: DataDirectory, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    def break_off(*_: object) -> None:
        raise BrokenOff

    async with running_keyring(data) as keyring:
        base = keyring.take_base()
    shutil.rmtree(data.root / "keyring")
    with monkeypatch.context() as patched:
        patched.setattr(f"{RESTORE}.{before}", break_off)
        with pytest.raises(BrokenOff):
            await restore_keyring(data, say=lambda _: None)
    said: list[str] = []

    restored = await restore_keyring(data, say=said.append)

    assert restored.base == base.folder.name
    assert "is in place: going on" in said[0]
    assert not RestoreMarks.of(data).restored.exists()
    assert len(BackupFolder.of(data).earlier()) == 1


async def test_a_keyring_from_before_a_restore_comes_back_only_where_that_is_said(
    data: DataDirectory,
) -> None:
    async with running_keyring(data) as keyring:
        keyring.take_base()
    shutil.rmtree(data.root / "keyring")
    await restore_keyring(data, say=lambda _: None)
    shutil.rmtree(data.root / "keyring")
    said: list[str] = []

    await restore_keyring(data, say=said.append)

    assert any("keys made since it are lost" in line for line in said)
    async with running_keyring(data) as keyring:
        newest = keyring.take_base()
    shutil.rmtree(data.root / "keyring")
    (newest.folder / "PG_VERSION").write_text("altered")
    with pytest.raises(KeyringNotRestored, match="there is no good base backup"):
        await restore_keyring(data, say=said.append)


async def test_a_base_backup_that_was_broken_off_before_a_restore_does_not_keep_the_others(
    data: DataDirectory,
) -> None:
    async with running_keyring(data) as keyring:
        begin = keyring.take_base().taken_at
        keyring.backups.unfinished(datetime.now(UTC)).mkdir()
    shutil.rmtree(data.root / "keyring")
    await restore_keyring(data, say=lambda _: None)

    async with running_keyring(data) as keyring:
        keyring.take_base()
        expired = expire(keyring.server, keyring.backups, now=begin + timedelta(days=40))
        again = expire(keyring.server, keyring.backups, now=begin + timedelta(days=41))

    assert len(expired.bases) == len(expired.earlier) == 1
    assert again.earlier == ()
    assert keyring.backups.earlier() == []


async def test_who_comes_second_to_the_backups_is_told_so(data: DataDirectory) -> None:
    now = datetime.now(UTC)
    async with running_keyring(data) as keyring:
        keyring.take_base()
        with held(keyring.backups):
            with pytest.raises(BackupsInUse, match="another command"):
                keyring.take_base()
            with pytest.raises(BackupsInUse, match="another command"):
                expire(keyring.server, keyring.backups, now=now)
            with pytest.raises(BackupsInUse, match="another command"):
                await verify_keyring(data, say=lambda _: None)
        assert len(keyring.backups.current()) == 1
        keyring.take_base()


async def test_no_copy_of_a_keyring_is_left_of_a_killed_restore_or_rehearsal(
    data: DataDirectory,
) -> None:
    copies = [data.root / "keyring.verifying", data.root / "keyring.restoring"]
    async with running_keyring(data) as keyring:
        keyring.take_base()
        for copy in copies:
            (copy / "cluster").mkdir(parents=True)
        expire(keyring.server, keyring.backups, now=datetime.now(UTC))
        assert not any(copy.exists() for copy in copies)

    for copy in copies:
        (copy / "cluster").mkdir(parents=True)
    settle_restored(data)
    assert not any(copy.exists() for copy in copies)
