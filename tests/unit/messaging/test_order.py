from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from eventstore.event_log import Head
from messaging.consumer_position import Place
from messaging.gap import missing_events
from messaging.headers import Origin, from_log
from messaging.in_order import Turn, turn_of
from messaging.received_event import ReceivedEvent
from messaging.stream_tail import Resumption, StreamTail, resume_after
from messaging.stuck import Reason, Stuck
from nats.js.api import StreamConfig
from unit.messaging.test_headers import EVENT


def event(position: int, previous: int, *, epoch: int = 1) -> ReceivedEvent:
    recorded = EVENT._replace(position=position, previous_position=previous)
    return from_log("conversations", epoch, recorded)


def tail(
    sequence: int, position: int | None, *, last: int | None = None, epoch: int = 1
) -> StreamTail:
    origin = None if position is None else Origin("conversations", epoch, position)
    message_sequence = 0 if position is None else sequence
    return StreamTail(
        sequence if last is None else last, message_sequence, origin, False, StreamConfig()
    )


@pytest.mark.parametrize(
    ("at", "received", "turn"),
    [
        (Place(0, 0), event(5, 0), Turn.NEXT),
        (Place(1, 5), event(9, 5), Turn.NEXT),
        (Place(1, 5), event(5, 2), Turn.DONE),
        (Place(1, 5), event(3, 2), Turn.DONE),
        (Place(1, 5), event(9, 7), Turn.AFTER_A_GAP),
        (Place(0, 0), event(9, 7), Turn.AFTER_A_GAP),
    ],
)
def test_an_event_is_done_next_or_after_a_gap(
    at: Place, received: ReceivedEvent, turn: Turn
) -> None:
    assert turn_of(received, at) is turn


@pytest.mark.parametrize(
    ("at", "received", "reason"),
    [
        (Place(2, 5), event(9, 5), Reason.OTHER_EPOCH),
        (Place(1, 5), event(9, 5, epoch=2), Reason.OTHER_EPOCH),
        (Place(1, 5), event(9, 4), Reason.FORKED),
    ],
)
def test_what_cannot_be_compared_stops(at: Place, received: ReceivedEvent, reason: Reason) -> None:
    with pytest.raises(Stuck) as stuck:
        turn_of(received, at)
    assert stuck.value.reason is reason


def test_publishing_goes_on_after_the_streams_end_whatever_the_checkpoint_says() -> None:
    head = Head(1, 100)
    for checkpoint in (0, 40, 90):
        assert resume_after(tail(12, 50), checkpoint, head) == Resumption(50, 12)
    assert resume_after(tail(0, None), 0, head) == Resumption(0, 0)


def test_an_empty_stream_that_never_held_anything_gets_the_whole_log() -> None:
    assert resume_after(tail(0, None), 90, Head(1, 100)) == Resumption(0, 0)


def test_a_stream_that_was_made_to_begin_later_gets_what_comes_after() -> None:
    config = StreamConfig(metadata={"careline-starts-after": "60"})
    empty = replace(tail(0, None), config=config)
    assert resume_after(empty, 90, Head(1, 100)) == Resumption(60, 0)
    assert resume_after(replace(tail(3, 70), config=config), 90, Head(1, 100)) == Resumption(70, 3)


def test_only_when_the_streams_last_message_is_gone_the_checkpoint_counts() -> None:
    head = Head(1, 100)
    assert resume_after(tail(0, None, last=12), 90, head) == Resumption(90, 12)
    assert resume_after(tail(10, 50, last=12), 90, head) == Resumption(90, 12)
    assert resume_after(tail(10, 50, last=12), 30, head) == Resumption(50, 12)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (tail(3, 50, epoch=2), Reason.OTHER_EPOCH),
        (tail(3, 101), Reason.STREAM_AHEAD),
        (replace(tail(3, None), is_foreign=True), Reason.STREAM_FOREIGN),
    ],
)
def test_a_stream_that_does_not_belong_to_the_log_stops_the_relay(
    found: StreamTail, reason: Reason
) -> None:
    with pytest.raises(Stuck) as stuck:
        resume_after(found, 0, Head(1, 100))
    assert stuck.value.reason is reason


class Log:
    """A log reader that gives what it was told to give."""

    def __init__(self, *events: ReceivedEvent) -> None:
        self._events = events
        self.asked: tuple[int, int] | None = None

    async def head(self) -> Head:
        raise AssertionError("the head was asked for")

    async def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        self.asked = (after, until)
        for one in self._events:
            yield one


async def batches(*events: ReceivedEvent) -> Sequence[Sequence[int]]:
    return [
        [one.position for one in batch]
        async for batch in missing_events(Log(*events), Place(1, 5), 20, batch=2)
    ]


async def test_what_is_missing_comes_in_batches() -> None:
    assert await batches(event(7, 5), event(9, 7), event(20, 9)) == [[7, 9], [20]]


@pytest.mark.parametrize(
    "events",
    [
        (),
        (event(7, 5),),
        (event(7, 6), event(20, 7)),
        (event(7, 5), event(20, 9)),
        (event(7, 5), event(21, 7)),
        (event(20, 5, epoch=2),),
    ],
)
async def test_a_log_that_does_not_fit_the_gap_fills_none(
    events: tuple[ReceivedEvent, ...],
) -> None:
    with pytest.raises(Stuck):
        await batches(*events)
