from uuid import RFC_4122, UUID

import pytest
from eventstore.ids import event_id, request_key, time_of, timed_uuid
from hypothesis import given
from hypothesis import strategies as st

times = st.integers(0, (1 << 48) - 1)


def uuid7(time_ms: int, rest: int = 0) -> UUID:
    return UUID(int=time_ms << 80 | 0x7 << 76 | 0b10 << 62 | rest & ((1 << 62) - 1))


@given(st.binary(), st.integers(0, 1000), st.none() | times)
def test_an_event_id_is_a_uuid_of_version_8(key: bytes, ordinal: int, time_ms: int | None) -> None:
    made = event_id(key, ordinal, time_ms)

    assert (made.version, made.variant) == (8, RFC_4122)


@given(times, times, st.binary(), st.binary())
def test_ids_are_in_order_of_time(one: int, two: int, key: bytes, other: bytes) -> None:
    if one < two:
        assert event_id(key, 0, one) < event_id(other, 1, two)


@given(times, st.integers(0))
def test_the_time_of_a_request_id_is_the_time_of_its_events(time_ms: int, rest: int) -> None:
    request_id = uuid7(time_ms, rest)

    assert time_of(request_id) == time_ms
    assert event_id(b"key", 0, time_of(request_id)).int >> 80 == time_ms


@pytest.mark.parametrize(
    "request_id",
    [
        UUID("8f2c1f2e-6c1c-4b0e-9a3e-2f6f1d0c5b7a"),  # version 4
        UUID("5f0c6d2e-e77c-11f1-a311-02fc00000001"),  # version 1
        UUID(int=0),
        UUID(int=(1 << 128) - 1),
    ],
    ids=str,
)
def test_other_request_ids_have_no_time(request_id: UUID) -> None:
    assert time_of(request_id) is None


def test_without_a_time_ids_are_spread() -> None:
    made = {event_id(b"key", ordinal, None).int >> 80 for ordinal in range(100)}

    assert len(made) == 100


@given(st.binary(), st.none() | times)
def test_an_id_repeats_with_its_request_and_differs_by_ordinal(
    key: bytes, time_ms: int | None
) -> None:
    ids = [event_id(key, ordinal, time_ms) for ordinal in range(16)]

    assert ids == [event_id(key, ordinal, time_ms) for ordinal in range(16)]
    assert len(set(ids)) == 16
    assert event_id(key + b"x", 0, time_ms) not in ids


@given(st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5))
def test_different_requests_have_different_keys(one: list[str], two: list[str]) -> None:
    assert (request_key(*one) == request_key(*two)) is (one == two)


@pytest.mark.parametrize("time_ms", [-1, 1 << 48])
def test_a_time_that_does_not_fit_is_refused(time_ms: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        timed_uuid(time_ms, bytes(32))
