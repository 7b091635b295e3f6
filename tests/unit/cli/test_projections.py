"""What `careline projections` refuses before it reaches anything, and the line it ends in."""

from pathlib import Path
from uuid import UUID

import pytest
from careline_cli.__main__ import app
from careline_cli.projections.explained import ProjectionsRefused, explained
from runtime.database.errors import DatabaseUnavailable
from runtime.vault.errors import VaultUnavailable
from sealing.keyring import UnknownKey
from sealing.value_sealer import Cell, ValueBroken
from typer.testing import CliRunner

ALTERED = ValueBroken(Cell("conversations.delivery", "d-1", "sealed_text"))
LOST_KEY = UnknownKey("demo", UUID(int=7))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("switch outbox --until 20", "only rebuild takes it"),
        ("drop outbox --build 2 --until 20", "only rebuild takes it"),
        ("list --until 20", "only rebuild takes it"),
        ("rebuild outbox --build 2", "only switch and drop take one"),
        ("list --to 2", "only switch and drop take one"),
        ("drop outbox", "to drop names one"),
        ("switch outbox --to 0", "greater than or equal to 1"),
        ("rebuild outbox --until yesterday", "a position, or a time with its zone"),
        ("rebuild", "every action but list needs one"),
    ],
)
def test_an_option_that_does_not_apply_is_refused(tmp_path: Path, asked: str, said: str) -> None:
    told = ("--data-dir", str(tmp_path / "data"), "projections", *asked.split())
    result = CliRunner().invoke(app, told)

    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize(
    "error", [ALTERED, LOST_KEY, VaultUnavailable("Vault is away"), DatabaseUnavailable("no login")]
)
def test_what_an_operator_can_act_on_is_one_line(error: Exception) -> None:
    for raised in (error, ExceptionGroup("beside", [error])):
        with pytest.raises(ProjectionsRefused) as refused, explained():
            raise raised
        assert str(refused.value) == str(error)


def test_a_fault_of_ours_stays_what_it_is() -> None:
    with pytest.raises(ExceptionGroup), explained():
        raise ExceptionGroup("beside", [ALTERED, ZeroDivisionError()])
