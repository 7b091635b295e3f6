import asyncio

import pytest
from eventstore.errors import Overloaded
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres.append_queue import BATCH_BYTES, BATCH_EVENTS, AppendQueue, Pending
from eventstore.postgres.bounds import Bounds
from eventstore.postgres.patience import Patience
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import new_event, new_stream


def pending(*streams: StreamId, events: int = 1, size: int = 1) -> Pending:
    writes = tuple(
        Write(
            stream,
            ExpectedRevision.ANY,
            tuple(new_event(data=b"x" * size) for _ in range(events)),
        )
        for stream in streams or (new_stream(),)
    )
    return Pending(writes, asyncio.get_running_loop().create_future(), Patience(1))


def queue(lanes: int = 1, **bounds: int) -> AppendQueue:
    return AppendQueue(Bounds(lanes=lanes, **bounds))


def put(queue: AppendQueue, *appends: Pending) -> list[Pending]:
    for one in appends:
        queue.put(one)
    return list(appends)


async def test_what_waits_is_taken_together_in_order() -> None:
    waiting = queue()
    appends = put(waiting, *(pending() for _ in range(30)))

    assert waiting.take() == appends
    assert all(one.is_sent for one in appends)
    assert not waiting.is_waited_in
    assert waiting.take() == []


async def test_of_two_lanes_each_takes_its_half() -> None:
    waiting = queue(lanes=2)
    put(waiting, *(pending() for _ in range(40)))

    assert [len(waiting.take()) for _ in range(3)] == [20, 20, 0]


async def test_a_few_are_taken_by_one_lane() -> None:
    waiting = queue(lanes=2)
    put(waiting, *(pending() for _ in range(8)))

    assert len(waiting.take()) == 8


async def test_a_stream_is_in_one_statement_at_a_time_and_keeps_its_order() -> None:
    waiting = queue()
    shared = new_stream()
    first, second, third, other = put(
        waiting, pending(shared), pending(shared), pending(shared), pending()
    )

    assert waiting.take() == [first, other]
    assert waiting.take() == []
    waiting.release(first)
    assert waiting.take() == [second]
    waiting.release(second)
    assert waiting.take() == [third]


async def test_nothing_overtakes_an_append_that_waits_for_one_of_its_streams() -> None:
    waiting = queue()
    held, wanted = new_stream(), new_stream()
    (first,) = put(waiting, pending(held))
    waiting.take()
    both, later = put(waiting, pending(held, wanted), pending(wanted))

    assert waiting.take() == []
    waiting.release(first)
    assert waiting.take() == [both]
    waiting.release(both)
    assert waiting.take() == [later]


async def test_a_statement_is_bounded_by_events_and_by_bytes() -> None:
    waiting = queue()
    put(waiting, *(pending(events=150) for _ in range(4)))
    assert [len(waiting.take()) for _ in range(3)] == [BATCH_EVENTS // 150, 2, 0]

    waiting = queue()
    put(waiting, *(pending(size=BATCH_BYTES // 4) for _ in range(5)))
    assert [len(waiting.take()) for _ in range(3)] == [3, 2, 0]


async def test_one_larger_than_a_statement_goes_alone() -> None:
    waiting = queue()
    put(waiting, pending(events=BATCH_EVENTS + 1), pending(size=BATCH_BYTES + 1))

    assert [len(waiting.take()) for _ in range(3)] == [1, 1, 0]


async def test_more_appends_than_the_bound_are_refused_until_some_are_answered() -> None:
    waiting = queue(in_flight=2)
    first, _ = put(waiting, pending(), pending())
    with pytest.raises(Overloaded, match="2 appends"):
        waiting.put(pending())
    waiting.take()
    with pytest.raises(Overloaded):
        waiting.put(pending())

    waiting.release(first)
    waiting.put(pending())


async def test_more_bytes_than_the_bound_are_refused_unless_nothing_else_is_there() -> None:
    waiting = queue(in_flight_bytes=1_000)
    (large,) = put(waiting, pending(size=5_000))
    with pytest.raises(Overloaded, match="1000 bytes"):
        waiting.put(pending())

    waiting.take()
    waiting.release(large)
    waiting.put(pending())


async def test_one_whose_caller_has_left_is_not_sent_and_makes_room() -> None:
    waiting = queue(in_flight=1)
    (left,) = put(waiting, pending())

    waiting.withdraw(left)
    (next_one,) = put(waiting, pending())

    assert waiting.take() == [next_one]
    assert not left.is_sent
