"""Private files are whole or not there, and folders are on disk with what names them."""

from pathlib import Path

import pytest
from embedded import private_files
from embedded.private_files import private_folder, write_private, writing_private


def test_text_and_bytes_are_written_for_their_owner_alone(tmp_path: Path) -> None:
    for content in ("é\n", b"\x00\xff"):
        write_private(tmp_path / "file", content)
        read = (tmp_path / "file").read_bytes()
        assert read == (content if isinstance(content, bytes) else content.encode())
        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def write_half(file: Path) -> None:
    with writing_private(file) as stream:
        stream.write(b"ne")
        raise ConnectionResetError


def test_what_fails_halfway_leaves_the_old_content_and_does_not_hinder_the_next(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    write_private(file, "old")
    with pytest.raises(ConnectionResetError):
        write_half(file)
    assert file.read_text() == "old"
    write_private(file, "new")
    assert file.read_text() == "new"


def test_each_folder_that_is_made_is_synced_in_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(private_files, "sync_folder", synced.append)
    for _ in range(2):
        private_folder(tmp_path / "one" / "two")

    assert sorted(synced) == [tmp_path, tmp_path / "one"]
    assert (tmp_path / "one" / "two").stat().st_mode & 0o777 == 0o700
