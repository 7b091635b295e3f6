"""Which number a code goes to: on file long enough, a mobile first."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity.domain.number_on_file import Number, NumberPolicy, number_for_code

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = NumberPolicy()


def number(use: str, value: str, since: str = "", system: str = "phone") -> Number:
    return Number(system, use, value, since)


def chosen(*numbers: Number, policy: NumberPolicy = POLICY) -> str | None:
    return number_for_code(numbers, at=AT, policy=policy)


def test_takes_the_mobile_before_the_home_number() -> None:
    assert (
        chosen(number("home", "617-555-0101"), number("mobile", "617-555-0102")) == "+16175550102"
    )


def test_keeps_the_records_order_among_equals() -> None:
    assert chosen(number("home", "617-555-0101"), number("home", "617-555-0102")) == "+16175550101"


@pytest.mark.parametrize(
    ("since", "old"),
    [
        ("2026-01-30T11:59:00Z", True),
        ("2026-01-30T12:01:00+00:00", False),
        ("2026-02-28", False),
        ("2026-01", False),
        ("2025-12", True),
        ("2026", False),
        ("2024", True),
        ("yesterday", False),
        ("", True),
    ],
)
def test_a_number_must_be_on_file_for_thirty_days(since: str, old: bool) -> None:
    assert (chosen(number("mobile", "617-555-0101", since)) is not None) is old


def test_a_number_of_unknown_age_can_be_refused_by_setting() -> None:
    strict = NumberPolicy(unknown_is_old=False)

    assert chosen(number("mobile", "617-555-0101"), policy=strict) is None


def test_falls_back_to_an_older_number_when_the_mobile_is_new() -> None:
    new = number("mobile", "617-555-0102", "2026-02-27")

    assert chosen(new, number("home", "617-555-0101", "2020")) == "+16175550101"


@pytest.mark.parametrize(
    "other",
    [
        number("old", "617-555-0101"),
        number("home", "a@example.org", system="email"),
        number("home", "617-555-0101", system="fax"),
        number("home", "5550101"),
        number("home", ""),
    ],
)
def test_sends_to_nothing_but_a_phone_in_use(other: Number) -> None:
    assert chosen(other) is None


@given(st.lists(st.builds(Number, st.text(), st.text(), st.text(), st.text()), max_size=5))
def test_takes_any_record(numbers: list[Number]) -> None:
    number_for_code(numbers, at=AT, policy=NumberPolicy(on_file_for=timedelta(days=1)))
