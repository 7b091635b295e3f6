import os
from pathlib import Path

import pytest
from careline_cli.platform.data_directory import Addresses, DataDirectory, DataDirectoryError


def addresses(pid: int) -> Addresses:
    return Addresses(pid, "http://127.0.0.1:1", "nats://127.0.0.1:2", {"audit": "a"}, {})


def test_a_running_platform_is_found_by_its_folder(tmp_path: Path) -> None:
    data = DataDirectory.of(tmp_path / "data")
    data.create()
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
    # Above the largest process id of Linux.
    data.write_addresses(addresses(2**22 + 1))

    data.require_stopped()


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
