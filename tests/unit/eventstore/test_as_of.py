"""The state of an aggregate as of a moment, by whichever of three measures."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from eventstore.as_of import AsOf
from eventstore.execute import Executor
from eventstore.memory import MemoryEventLog
from eventstore.state_cache import Loaded
from eventstore.stream_id import StreamId
from unit.eventstore.ward import WARD, Ward, WardCodec, admit, close, new_request, open_ward

STREAM = StreamId("demo", "wards/1")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def executor() -> Executor:
    """Open a ward at noon, admit a minute later, close it after another one."""
    minutes = count()
    log = MemoryEventLog(clock=lambda: NOON + timedelta(minutes=next(minutes)))
    executor = Executor(log, WardCodec())
    for command in (open_ward, admit, close):
        await executor.execute(STREAM, WARD, command, subject="", request=new_request())
    return executor


OPENED = Loaded(Ward(is_open=True, beds=30), 0, 1)
ADMITTED = Loaded(Ward(is_open=True, beds=30, taken=1), 1, 2)
CLOSED = Loaded(Ward(beds=30, taken=1), 2, 3)


@pytest.mark.parametrize(
    ("as_of", "state"),
    [
        (AsOf(revision=0), OPENED),
        (AsOf(position=2), ADMITTED),
        (AsOf(time=NOON), OPENED),
        (AsOf(time=NOON + timedelta(seconds=119)), ADMITTED),
        (AsOf(time=NOON + timedelta(days=1)), CLOSED),
        (AsOf(time=NOON - timedelta(seconds=1)), Loaded(Ward(), -1, 0)),
        (AsOf(position=0), Loaded(Ward(), -1, 0)),
    ],
)
async def test_a_state_is_loaded_as_it_was(
    executor: Executor, as_of: AsOf, state: Loaded[Ward]
) -> None:
    assert await executor.load(STREAM, WARD, as_of=as_of) == state


async def test_a_look_back_leaves_the_newest_state_as_it_is(executor: Executor) -> None:
    await executor.load(STREAM, WARD, as_of=AsOf(revision=0))

    assert await executor.load(STREAM, WARD) == CLOSED


async def test_no_stream_has_no_past(executor: Executor) -> None:
    nowhere = StreamId("demo", "wards/2")

    assert await executor.load(nowhere, WARD, as_of=AsOf(position=3)) == Loaded(Ward(), -1, 0)
