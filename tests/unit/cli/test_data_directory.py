import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from careline_cli.platform.backup_owner import BackupNotOurs
from careline_cli.platform.data_directory import (
    BACKUP_DIRECTORY,
    Addresses,
    DataDirectory,
    DataDirectoryError,
)

NOBODY = 65534


def addresses(pid: int) -> Addresses:
    return Addresses(pid, "http://127.0.0.1:1", "nats://127.0.0.1:2", {"audit": "a"}, {})


def test_a_running_platform_is_found_by_its_folder(tmp_path: Path) -> None:
    data = DataDirectory.of(tmp_path / "data")
    data.create()
    with data.held():
        data.write_addresses(addresses(os.getpid()))

        assert data.addresses() == addresses(os.getpid())
        with pytest.raises(DataDirectoryError, match="careline down"):
            data.require_stopped()


def test_no_platform_runs_on_a_new_folder(tmp_path: Path) -> None:
    data = DataDirectory.of(tmp_path)

    with pytest.raises(DataDirectoryError, match="careline up"):
        data.addresses()
    data.require_stopped()


def test_what_a_killed_platform_left_behind_does_not_count(tmp_path: Path) -> None:
    data = DataDirectory.of(tmp_path)
    # Somebody has this process id, as after the machine was started again.
    data.write_addresses(addresses(os.getpid()))

    data.require_stopped()
    with pytest.raises(DataDirectoryError, match="no platform runs"):
        data.addresses()


def test_a_second_platform_waits_neither_for_a_start_nor_for_an_end(tmp_path: Path) -> None:
    data = DataDirectory.of(tmp_path)
    with (
        data.held(),
        pytest.raises(DataDirectoryError, match="at this moment"),
        DataDirectory.of(tmp_path).held(),
    ):
        pass

    with data.held():
        assert data.is_held()
    assert not data.is_held()


def test_a_full_disk_is_one_clear_line() -> None:
    """/proc has no space at all."""
    with pytest.raises(DataDirectoryError, match=r"^the disk is full, 0 MB free at /proc; free at"):
        DataDirectory.of(Path("/proc/careline/data")).require_space()


def test_secrets_and_logs_are_closed_to_others(tmp_path: Path) -> None:
    data = DataDirectory.of(tmp_path / "data")
    data.create()

    for folder in (data.secrets, data.logs, data.services):
        assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_made_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(DataDirectoryError, match="--data-dir"):
        DataDirectory.of(file / "data").create()


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Close a folder to this test, whoever runs it: no mode closes one to root."""
    user = os.geteuid()
    folder.chmod(0)
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


@pytest.mark.parametrize("made_before", [True, False])
def test_a_folder_of_another_user_is_one_clear_line(tmp_path: Path, made_before: bool) -> None:
    data = DataDirectory.of(tmp_path / "data")
    data.root.mkdir()
    if made_before:
        data.create()

    with closed(data.root):
        for act in (data.create, data.addresses, data.is_held):
            with pytest.raises(DataDirectoryError, match="run as its owner"):
                act()


def test_another_platform_is_refused_the_backups_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BACKUP_DIRECTORY, str(tmp_path / "disk"))
    first, second = (DataDirectory.of(tmp_path / name) for name in ("first", "second"))
    first.create()

    with pytest.raises(BackupNotOurs, match="are not of the platform in"):
        second.create()
    first.create()
    assert first.backup == tmp_path / "disk"


def test_a_platform_that_runs_elsewhere_cannot_be_backed_up_into_anothers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (DataDirectory.of(tmp_path / name) for name in ("first", "second"))
    first.create()
    second.create()
    monkeypatch.setenv(BACKUP_DIRECTORY, str(first.backup))

    with pytest.raises(BackupNotOurs):
        _ = DataDirectory.of(second.root).backup


def test_backups_moved_to_another_disk_are_still_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDirectory.of(tmp_path / "data")
    data.create()
    data.backup.rename(tmp_path / "disk")
    monkeypatch.setenv(BACKUP_DIRECTORY, str(tmp_path / "disk"))
    moved = DataDirectory.of(data.root)

    moved.create()

    assert moved.backup == tmp_path / "disk"


def test_a_drills_platform_keeps_its_backups_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BACKUP_DIRECTORY, str(tmp_path / "disk"))

    assert DataDirectory.alone(tmp_path / "data").backup == tmp_path / "data" / "backup"
