"""`careline drill` lists what it can rehearse and refuses what it cannot."""

import pytest
from careline_cli.__main__ import app
from careline_cli.drill.catalogue import SCENARIOS
from typer.testing import CliRunner


def test_the_list_names_each_drill_and_says_what_it_does() -> None:
    result = CliRunner().invoke(app, ["drill", "list"])

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == list(SCENARIOS)
    assert all(one.summary in line for one, line in zip(SCENARIOS.values(), lines, strict=True))


@pytest.mark.parametrize("names", [[], ["database-lots"], ["database-lost", "list"]])
def test_what_is_no_drill_is_refused_before_anything_starts(names: list[str]) -> None:
    result = CliRunner().invoke(app, ["drill", *names])

    assert result.exit_code == 2
    assert "database-lost" in result.output
