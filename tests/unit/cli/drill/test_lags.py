"""The lag of a copy is the age of the oldest acknowledged write that it lacks."""

import pytest
from careline_cli.drill.journals import Acknowledged
from careline_cli.drill.lags import Look, lags
from eventstore.durability import Durability


def write(position: int, at: float, log: str = "conversations") -> Acknowledged:
    return Acknowledged(
        f"{log}-{position}", log, f"{log}/1", position, position, Durability.LOCAL, at, at, ""
    )


def test_a_copy_that_has_everything_has_no_lag() -> None:
    assert lags([write(1, at=10.0)], [Look("conversations", 11.0, 1)]) == [0.0]


def test_a_copy_lags_by_the_oldest_write_that_it_lacks() -> None:
    # The second was acknowledged after the third, as callers of one shared commit may be.
    writes = [write(1, at=10.0), write(2, at=10.6), write(3, at=10.5)]

    assert lags(writes, [Look("conversations", 11.0, 1)]) == [pytest.approx(0.5)]


def test_a_write_acknowledged_after_the_look_is_not_missing_yet() -> None:
    assert lags([write(1, at=12.0)], [Look("conversations", 11.0, 0)]) == [0.0]


def test_each_log_is_held_against_its_own_copy() -> None:
    writes = [write(5, at=10.0), write(9, at=10.0, log="patient_context")]
    looks = [Look("conversations", 11.0, 5), Look("patient_context", 11.0, 5)]

    assert lags(writes, looks) == [0.0, pytest.approx(1.0)]
