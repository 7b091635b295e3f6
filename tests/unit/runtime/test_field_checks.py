"""Fields as callers send them: what is malformed is refused by its name."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from runtime.field_checks import duration_of, etag_of, moment_of, word_of
from runtime.refusal import FieldsInvalid


def test_an_etag_is_a_revision_and_an_empty_one_takes_what_there_is() -> None:
    assert [etag_of(text) for text in ("", "0", "12")] == [None, 0, 12]


@pytest.mark.parametrize("text", ["-1", "01", "1 ", "one", "1" * 19])
def test_what_no_read_gave_is_no_etag(text: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        etag_of(text)

    assert refused.value.violations[0].field == "etag"


def test_a_word_is_one_of_the_known_or_refused_with_them() -> None:
    assert word_of("OTHER", {"OTHER", "CLOSED"}, "reason") == "OTHER"
    with pytest.raises(FieldsInvalid) as refused:
        word_of("Jane", {"OTHER", "CLOSED"}, "reason")
    assert refused.value.violations[0].description == "one of CLOSED, OTHER"


def test_a_time_is_read_in_utc() -> None:
    assert moment_of(Timestamp(seconds=60), "at") == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("stamp", [Timestamp(seconds=2**62), Timestamp(nanos=-1)])
def test_a_time_that_the_calendar_lacks_is_refused(stamp: Timestamp) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        moment_of(stamp, "end_time")

    assert refused.value.violations[0].field == "end_time"


def lasting(value: Duration) -> timedelta:
    return duration_of(
        value,
        "lifetime",
        shortest=timedelta(seconds=5),
        longest=timedelta(minutes=2),
        expected="5 s to 2 min",
    )


@pytest.mark.parametrize("seconds", [5, 60, 120])
def test_a_duration_may_reach_its_bounds(seconds: int) -> None:
    assert lasting(Duration(seconds=seconds)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        Duration(),
        Duration(seconds=-60),
        Duration(seconds=4, nanos=999_999_999),
        Duration(seconds=120, nanos=1_000),
        Duration(seconds=60, nanos=-1),
        Duration(seconds=60, nanos=2_000_000_000),
        Duration(seconds=2**62),
    ],
)
def test_a_duration_out_of_its_bounds_is_refused(value: Duration) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        lasting(value)

    (violation,) = refused.value.violations
    assert (violation.field, violation.description) == ("lifetime", "5 s to 2 min")
