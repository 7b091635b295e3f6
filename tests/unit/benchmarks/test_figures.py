"""Figures: what is held against what, and whether it is met."""

import json
from pathlib import Path

import pytest
from benchmarks.figure import Figure, Target, at_least, at_most
from benchmarks.report import Report
from benchmarks.store.turns import Turn, Turns


def turns(*rates: int) -> Turns:
    return Turns([Turn(rate, 1.0, [1 / rate] * rate) for rate in rates])


@pytest.mark.parametrize(
    ("value", "ratio", "target", "met"),
    [
        (8.0, 0.8, at_least(0.8), True),
        (8.0, 0.79, at_least(0.8), False),
        (40.0, None, at_most(50), True),
        (60.0, None, at_most(50), False),
        (60.0, None, None, None),
    ],
)
def test_a_target_is_on_the_ratio_where_there_is_one(
    value: float, ratio: float | None, target: Target | None, met: bool | None
) -> None:
    assert Figure("figure", value, "events/s", ratio=ratio, target=target).met is met


def test_a_ratio_is_the_median_over_rounds_so_that_one_noisy_round_does_not_count() -> None:
    assert turns(100, 10, 120).ratio(turns(100, 100, 100)) == 1.0


def test_rounds_that_only_one_of_the_two_had_do_not_count() -> None:
    assert turns(100, 200, 900).ratio(turns(100, 100)) == 1.5


def test_percentiles_of_all_turns_are_in_milliseconds() -> None:
    halves = [[number / 1_000 for number in range(since, since + 50)] for since in (1, 51)]
    both = Turns([Turn(50, 1.0, latencies) for latencies in halves])

    assert both.milliseconds(99) == 99


def test_a_report_is_kept_as_the_json_that_it_prints(tmp_path: Path) -> None:
    figure = Figure("append", 950.0, "events/s", "peer", 2.5, at_least(2), (900.0, 1000.0))
    report = Report("store", "2 cores", "0123abcd", [figure], [])

    kept = report.keep(tmp_path / "results")

    assert kept.name.startswith("store-")
    assert json.loads(kept.read_text()) == {
        "bench": "store",
        "machine": "2 cores",
        "commit": "0123abcd",
        "figures": [
            {
                "name": "append",
                "value": 950.0,
                "unit": "events/s",
                "against": "peer",
                "ratio": 2.5,
                "target": ">= 2",
                "met": True,
            }
        ],
    }
