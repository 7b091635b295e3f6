"""What --as-of and --at take for a moment."""

from datetime import UTC, datetime

import pytest
import typer
from careline_cli.commands.moment import as_of, time_of


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00", "2026-03-01 07:00:00-05:00"],
)
def test_a_time_is_read_in_its_zone(text: str) -> None:
    assert as_of(text).time.ToDatetime(UTC) == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("text", "position"), [("0", 0), ("4711", 4711)])
def test_digits_are_a_position(text: str, position: int) -> None:
    read = as_of(text)

    assert (read.WhichOneof("moment"), read.position) == ("position", position)


@pytest.mark.parametrize(
    "text", ["", "-1", "9" * 19, "noon", "2026-03-01", "2026-03-01T12:00:00", "\u0663", "1.5"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="2026-03-01T12:00:00Z"):
        as_of(text)


def test_where_only_a_time_is_meant_a_position_is_refused_with_an_example() -> None:
    assert time_of("2026-03-01 07:00:00-05:00", "--at") == datetime(2026, 3, 1, 12, tzinfo=UTC)
    with pytest.raises(typer.BadParameter, match="a time with its zone"):
        time_of("4711", "--at")
