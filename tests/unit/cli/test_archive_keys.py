"""Public keys are kept apart from the archive, in a file, for the day when Vault is away."""

from pathlib import Path

import pytest
from careline_cli.archive_keys import keys_of, read_keys, write_keys
from careline_cli.command_error import CommandError

KEYS = {"routing": {1: bytes(32), 2: bytes(range(32))}, "audit": {1: bytes(32)}}


def test_keys_come_back_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(write_keys(KEYS))

    assert read_keys(file) == KEYS


@pytest.mark.parametrize("text", ["", "[]", '{"routing": 1}', '{"routing": {"one": ""}}'])
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)

    with pytest.raises(CommandError, match="holds no public keys"):
        read_keys(file)


def test_a_log_without_a_key_is_refused() -> None:
    with pytest.raises(CommandError, match="identity"):
        keys_of(KEYS, "identity")
