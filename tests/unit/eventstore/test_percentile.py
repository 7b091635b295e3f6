"""A percentile is the nearest rank: a value that occurred."""

from eventstore.testing.percentile import percentile


def test_a_percentile_is_the_least_value_that_so_many_percent_do_not_exceed() -> None:
    values = range(100, 0, -1)

    assert [percentile(values, percent) for percent in (0, 50, 99, 99.5, 100)] == [
        *(1, 50, 99),
        *(100, 100),
    ]


def test_one_outlier_of_a_hundred_is_beyond_the_99th() -> None:
    assert percentile([1.0] * 99 + [7.0], 99) == 1.0
    assert percentile([1.0] * 98 + [7.0] * 2, 99) == 7.0
