"""A point to restore up to is a time with its zone, or a position of one log."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from careline_cli.__main__ import app
from careline_cli.commands.restore import point_of
from typer.testing import CliRunner


def test_nothing_means_all_of_it() -> None:
    assert point_of("", "") is None


def test_digits_are_a_position_of_a_service() -> None:
    assert point_of("1000042", "routing") == 1_000_042


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00", "2026-03-01T07:00:00-05:00"]
)
def test_a_time_is_taken_in_any_zone(text: str) -> None:
    assert point_of(text, "") == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "service", "said"),
    [
        ("42", "", "a position needs --service"),
        ("yesterday", "", "a position, or a time with its zone"),
        ("2026-03-01T12:00:00", "", "a position, or a time with its zone"),
        ("", "rooting", "one of: identity"),
    ],
)
def test_what_is_no_point_is_refused(tmp_path: Path, until: str, service: str, said: str) -> None:
    told = ("--data-dir", str(tmp_path / "data"), "restore", "--from", tmp_path.as_uri())
    result = CliRunner().invoke(app, [*told, "--until", until, "--service", service])

    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not (tmp_path / "data").exists()
