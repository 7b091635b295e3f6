from datetime import UTC, datetime, timedelta, timezone

import pytest
from patient_context.domain.fhir_time import first_moment, last_moment


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2024", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z"),
        ("2024-02", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"),
        ("2024-12", "2024-12-01T00:00:00Z", "2024-12-31T23:59:59Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z"),
    ],
)
def test_a_text_that_says_less_is_a_span(written: str, first: str, last: str) -> None:
    assert first_moment(written) == datetime.fromisoformat(first)
    assert last_moment(written) == datetime.fromisoformat(last)


def test_a_moment_is_one_in_its_own_zone() -> None:
    at = datetime(2024, 2, 29, 10, 30, 0, 123456, timezone(timedelta(hours=-5)))
    assert first_moment("2024-02-29T10:30:00.123456789-05:00") == at
    assert last_moment("2024-02-29T10:30:00.123456789-05:00") == at
    leap = datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert first_moment("2016-12-31T23:59:60Z") == leap
    assert last_moment("9999") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert last_moment("9999-12") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert first_moment("0001-01-01T00:00:00+14:00") < first_moment("0001-01-02T00:00:00-14:00")
    assert last_moment("9999-12-31T23:59:59-14:00") > datetime.now(UTC)
    assert last_moment("9999-12-31") == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
