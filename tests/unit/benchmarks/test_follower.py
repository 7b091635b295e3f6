"""The oracle's follower notices what it must."""

from datetime import UTC, datetime

import pytest
from benchmarks.store.follower import Seen, Witness
from eventstore.event import RecordedEvent
from eventstore.testing.example_events import new_id, new_stream

STREAM = new_stream()
FIRST, SECOND, THIRD = (
    RecordedEvent(
        position=number + 1,
        previous_position=number,
        stream=STREAM,
        revision=number,
        id=new_id(),
        type="careline.example.v1.Happened",
        data=b"",
        metadata=b"",
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    for number in range(3)
)


def said_of(*events: RecordedEvent) -> Seen:
    witness = Witness()
    for event in events:
        witness.sees(event)
    return witness.says()


def test_a_whole_log_has_nothing_wrong() -> None:
    said = said_of(FIRST, SECOND, THIRD)

    assert said.events == 3
    assert (said.out_of_order, said.with_a_gap, said.wrong_revision) == (0, 0, 0)


@pytest.mark.parametrize(
    "events",
    [
        (FIRST, THIRD),
        (FIRST, SECOND, SECOND, THIRD),
        (SECOND, FIRST, THIRD),
        (FIRST, SECOND, THIRD._replace(previous_position=1)),
        (FIRST, SECOND, THIRD._replace(revision=1)),
    ],
    ids=["missed", "twice", "order", "gap", "revision"],
)
def test_what_is_missed_doubled_or_out_of_order_shows(events: tuple[RecordedEvent, ...]) -> None:
    said = said_of(*events)

    assert said.out_of_order + said.with_a_gap + said.wrong_revision > 0
