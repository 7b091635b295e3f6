"""What `careline migrate` says of settings that it can not use."""

import pytest
from careline_cli.command_error import CommandError
from careline_cli.commands.migrate import migrate

GIVEN = {
    "CARELINE_DATABASE": "postgresql:///careline?host=/run/postgresql",
    "CARELINE_KEYRING_DATABASE": "postgresql:///keyring?host=/run/postgresql",
    "CARELINE_VAULT_ADDRESS": "https://vault:8200",
    "CARELINE_VAULT_ROLE_ID_FILE": "/nowhere/role-id",
    "CARELINE_VAULT_SECRET_ID_FILE": "/nowhere/secret-id",
}


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CARELINE_DATABASE", "postgresql://db/careline?sslmode=require", "is malformed"),
        ("CARELINE_DATABASE", "postgresql://me:secret@db/careline", "is malformed"),
        ("CARELINE_VAULT_ADDRESS", "http://vault:8200", "is malformed"),
        ("CARELINE_DATABSE", "x", "is no setting"),
        ("CARELINE_VAULT_CA_FILE", "", "is malformed"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    for name, text in {**GIVEN, variable: value}.items():
        monkeypatch.setenv(name, text)

    with pytest.raises(CommandError, match=f"^{variable} {said}") as refused:
        migrate()

    assert "\n" not in str(refused.value)
    assert "secret@" not in str(refused.value)


def test_a_role_id_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in GIVEN.items():
        monkeypatch.setenv(name, text)

    with pytest.raises(CommandError, match=r"^cannot open /nowhere/role-id"):
        migrate()
