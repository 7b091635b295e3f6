import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from eventstore.event import RecordedEvent
from eventstore.event_log import Head, Page
from eventstore.projection_progress import Progress, ProjectionBehind
from eventstore.testing.example_events import new_id, new_stream
from eventstore.testing.example_projection import Sightings

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def event(position: int, age: float) -> RecordedEvent:
    recorded_at = NOON - timedelta(seconds=age)
    return RecordedEvent(
        position, position - 1, new_stream(), 0, new_id(), "a.B", b"", b"", recorded_at
    )


def progress() -> Progress:
    return Progress(Sightings("schema"), lambda: NOON)


def test_a_projection_lacks_what_it_has_not_applied_since_that_was_recorded() -> None:
    behind = progress()
    behind.saw(Page((event(1, 90), event(2, 60)), Head(1, 10)))
    before = behind.status()
    behind.reached(2)
    after = behind.status()
    behind.saw(Page((event(10, 5),), Head(1, 10)))
    behind.reached(10)
    caught_up = behind.status()

    assert (before.lag, before.lag_seconds) == (10, 90)
    assert (after.lag, after.lag_seconds) == (8, 90)
    assert (caught_up.lag, caught_up.lag_seconds) == (0, 0)


def test_a_projection_that_stops_lacks_what_comes_from_then_on() -> None:
    now = NOON
    stopped = Progress(Sightings("schema"), lambda: now)
    stopped.stops("the log is not to be reached")
    now = NOON + timedelta(seconds=7)

    assert stopped.status().lag_seconds == 7
    assert stopped.status().stuck == "the log is not to be reached"


def test_a_clock_behind_the_logs_gives_no_negative_age() -> None:
    ahead = progress()
    ahead.saw(Page((event(1, -5),), Head(1, 1)))

    assert ahead.status().lag_seconds == 0


async def test_waiters_go_on_when_their_position_is_reached() -> None:
    one = progress()
    waiting = [asyncio.ensure_future(one.wait_for(position, 5)) for position in (0, 3, 5)]
    await asyncio.sleep(0)
    one.reached(4)
    await asyncio.sleep(0)

    assert [waiter.done() for waiter in waiting[:1]] == [True]
    await waiting[1]
    one.reached(5)
    await waiting[2]


async def test_a_waiter_is_told_why_it_waited_in_vain() -> None:
    one = progress()
    with pytest.raises(ProjectionBehind, match="not running"):
        await one.wait_for(1, 0.01)
    one.runs()
    with pytest.raises(ProjectionBehind, match="catching up"):
        await one.wait_for(1, 0.01)
