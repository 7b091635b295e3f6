"""Files and Vault paths that secrets lie at."""

from pathlib import Path

import pytest
from runtime.secret_reference import SecretFile, SecretUnreadable, VaultPath


def _file(folder: Path, content: bytes, mode: int = 0o600) -> SecretFile:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return SecretFile(path)


def test_a_secret_is_read_without_its_newline(tmp_path: Path) -> None:
    assert _file(tmp_path, b" s3cret\n").read() == "s3cret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622])
def test_an_own_file_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SecretUnreadable, match="chmod 600"):
        _file(tmp_path, b"s3cret", mode).read()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"x" * 20_000, "larger"), (b"\xff\xfe", "no text")],
)
def test_content_that_is_no_secret_is_refused_without_showing_it(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    with pytest.raises(SecretUnreadable, match=complaint) as raised:
        _file(tmp_path, content).read()

    assert "xxx" not in str(raised.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadable, match="put the secret there"):
        SecretFile(tmp_path / "absent").read()
    with pytest.raises(SecretUnreadable, match="is no file"):
        SecretFile(tmp_path).read()


def test_a_vault_path_has_mount_path_and_field() -> None:
    path = VaultPath.parse("secret/careline/nats/identity#creds")

    assert (path.mount, path.path, path.field) == ("secret", "careline/nats/identity", "creds")


@pytest.mark.parametrize("text", ["s3cret", "secret/a", "secret#a", "/etc/x#y", "secret/a#", ""])
def test_text_that_names_no_vault_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a field of a Vault secret"):
        VaultPath.parse(text)
