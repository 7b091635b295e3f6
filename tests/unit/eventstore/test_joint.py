import asyncio
from collections.abc import Sequence

import pytest
from eventstore.decider import Rejected
from eventstore.durability import Durability
from eventstore.errors import EventIdReused
from eventstore.event_log import Appended, Write
from eventstore.execute import ConflictPersists, Executor, Request
from eventstore.expected_revision import ExpectedRevision
from eventstore.joint import Joint, JointExecutor, Jointly, Part
from eventstore.memory import MemoryEventLog
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import new_event
from unit.eventstore.ward import (
    WARD,
    Event,
    PatientAdmitted,
    Ward,
    WardClosed,
    WardCodec,
    WardOpened,
    admit,
    close,
    new_request,
    open_ward,
)

OLD, NEW = StreamId("demo", "wards/old"), StreamId("demo", "wards/new")


class Rivalry(MemoryEventLog):
    """Lets another writer in before each of the first `rivals` appends."""

    def __init__(self) -> None:
        super().__init__()
        self.rivals = 0
        self.appends = 0

    async def append(self, *writes: Write, durability: Durability = Durability.LOCAL) -> Appended:
        self.appends += 1
        if self.rivals:
            self.rivals -= 1
            other = (new_event("PatientAdmitted", data=b'nonce   {"bed": 0}'),)
            await super().append(Write(writes[-1].stream, ExpectedRevision.ANY, other))
        return await super().append(*writes, durability=durability)


class Desk:
    """Moves wards: closes one and opens another, in one append."""

    def __init__(self, log: MemoryEventLog) -> None:
        self.log = log
        self.executor = Executor(log, WardCodec())
        self.joint = JointExecutor(log, WardCodec(), self.executor)

    async def opened(self, *streams: StreamId) -> None:
        for stream in streams:
            await self.executor.execute(
                stream, WARD, open_ward, subject=stream.name, request=new_request()
            )

    async def move(
        self, request: Request, closing: StreamId = OLD, opening: StreamId = NEW
    ) -> Jointly[Ward, Event, Ward]:
        def command(ward: Ward, others: Sequence[Ward]) -> Joint[Event, Event]:
            closed = close(ward)
            return Joint(closed, [open_ward(others[0]) if closed else ()])

        return await self.joint.execute(
            request, Part(closing, WARD), [Part(opening, WARD)], command
        )

    async def admit_to(self, request: Request, leading: StreamId, other: StreamId) -> None:
        def command(ward: Ward, others: Sequence[Ward]) -> Joint[Event, Event]:
            return Joint(admit(ward), [admit(others[0])])

        await self.joint.execute(request, Part(leading, WARD), [Part(other, WARD)], command)

    async def types(self, stream: StreamId) -> list[str]:
        return [event.type async for event in self.log.read_stream(stream)]


@pytest.fixture
def log() -> Rivalry:
    return Rivalry()


@pytest.fixture
def desk(log: Rivalry) -> Desk:
    return Desk(log)


async def test_all_streams_change_in_one_append(desk: Desk, log: Rivalry) -> None:
    await desk.opened(OLD)
    before = log.appends

    moved = await desk.move(new_request())

    assert log.appends == before + 1
    assert moved.events == (WardClosed(),)
    assert (moved.state.is_open, moved.others[0].is_open) == (False, True)
    assert (moved.revision, moved.position) == (1, 3)


async def test_a_refusal_changes_nothing(desk: Desk) -> None:
    await desk.opened(OLD)

    with pytest.raises(Rejected, match="WARD_CLOSED"):
        await desk.admit_to(new_request(), OLD, NEW)

    assert await desk.types(OLD) == ["WardOpened"]
    assert await desk.types(NEW) == []


async def test_a_repeated_request_is_answered_as_the_first_time(desk: Desk) -> None:
    await desk.opened(OLD)
    request = new_request()
    first = await desk.move(request)
    await desk.opened(OLD)

    again = await desk.move(request)

    assert again.duplicate
    assert (again.state, again.revision, again.position) == (
        first.state,
        first.revision,
        first.position,
    )
    assert await desk.types(OLD) == ["WardOpened", "WardClosed", "WardOpened"]


async def test_a_repeat_is_known_when_there_is_nothing_left_to_do(desk: Desk) -> None:
    await desk.opened(OLD)
    request = new_request()
    first = await desk.move(request)

    again = await desk.move(request)

    assert (again.duplicate, again.position) == (True, first.position)


async def test_a_repeat_is_known_when_the_command_refuses_by_now(desk: Desk) -> None:
    await desk.opened(OLD, NEW)
    request = new_request()
    await desk.admit_to(request, OLD, NEW)
    await desk.executor.execute(NEW, WARD, close, subject=NEW.name, request=new_request())

    await desk.admit_to(request, OLD, NEW)

    assert await desk.types(OLD) == ["WardOpened", "PatientAdmitted"]


async def test_nothing_to_do_is_answered_with_the_states_as_they_are(desk: Desk) -> None:
    await desk.opened(OLD)
    await desk.move(new_request())

    nothing = await desk.move(new_request())

    assert nothing.events == ()
    assert not nothing.duplicate
    assert (nothing.state.is_open, nothing.others[0].is_open) == (False, True)


async def test_another_request_with_the_same_id_is_refused(desk: Desk) -> None:
    await desk.opened(OLD)
    await desk.move(new_request(b"one"))
    await desk.opened(OLD)

    with pytest.raises(EventIdReused):
        await desk.move(new_request(b"one", digest=b"\1" * 32))
    with pytest.raises(EventIdReused):
        await desk.joint.repeated(new_request(b"one", digest=b"\1" * 32))


async def test_where_a_request_landed_can_be_asked(desk: Desk) -> None:
    await desk.opened(OLD)
    request = new_request()
    moved = await desk.move(request)

    before = await desk.joint.repeated(request)

    assert [event.stream for event in before] == [OLD, NEW]
    assert max(event.position for event in before) == moved.position
    assert await desk.joint.repeated(new_request()) == []


async def test_a_conflict_on_any_stream_is_decided_anew(desk: Desk, log: Rivalry) -> None:
    await desk.opened(OLD, NEW)
    log.rivals = 4

    await desk.admit_to(new_request(), OLD, NEW)

    assert await desk.types(OLD) == ["WardOpened", "PatientAdmitted"]
    assert (await desk.types(NEW)).count("PatientAdmitted") == 5


async def test_conflicts_without_end_are_given_up(desk: Desk, log: Rivalry) -> None:
    await desk.opened(OLD, NEW)
    log.rivals = 5

    with pytest.raises(ConflictPersists):
        await desk.admit_to(new_request(), OLD, NEW)

    assert await desk.types(OLD) == ["WardOpened"]


async def test_decisions_that_cross_take_turns(desk: Desk, log: Rivalry) -> None:
    await desk.opened(OLD, NEW)
    before = log.appends

    async with asyncio.timeout(10):
        await asyncio.gather(
            *(
                desk.admit_to(new_request(), *((OLD, NEW) if n % 2 else (NEW, OLD)))
                for n in range(20)
            )
        )

    assert log.appends == before + 20
    assert (await desk.types(OLD)).count("PatientAdmitted") == 20


async def test_a_decision_that_spares_its_leading_stream_is_a_mistake(desk: Desk) -> None:
    def command(_ward: Ward, others: Sequence[Ward]) -> Joint[Event, Event]:
        return Joint((), [open_ward(others[0])])

    with pytest.raises(ValueError, match="leading"):
        await desk.joint.execute(new_request(), Part(OLD, WARD), [Part(NEW, WARD)], command)


async def test_too_many_events_are_a_mistake(desk: Desk) -> None:
    def command(_ward: Ward, _others: Sequence[Ward]) -> Joint[Event, Event]:
        return Joint([WardOpened(beds=64)], [[PatientAdmitted(bed) for bed in range(64)]])

    with pytest.raises(ValueError, match="64"):
        await desk.joint.execute(new_request(), Part(OLD, WARD), [Part(NEW, WARD)], command)

    assert await desk.types(OLD) == []
