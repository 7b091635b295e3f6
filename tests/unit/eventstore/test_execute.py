import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from eventstore.as_of import AsOf
from eventstore.decider import Rejected
from eventstore.durability import Durability
from eventstore.errors import EventIdReused, RevisionConflict
from eventstore.event import RecordedEvent
from eventstore.event_log import Appended, Write
from eventstore.execute import ConflictPersists, Executed, Executor, Request
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import new_event, new_stream
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
    fill,
    new_request,
    open_ward,
)

STREAM = StreamId("demo", "wards/1")
Command = Callable[[Ward], Sequence[Event]]


class CountingLog(MemoryEventLog):
    """Counts reads and conflicts; before an append it can let somebody else in."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.conflicts = 0
        self.rivals = 0

    async def append(self, *writes: Write, durability: Durability = Durability.LOCAL) -> Appended:
        if self.rivals:
            self.rivals -= 1
            other = (new_event("PatientAdmitted", data=b'nonce   {"bed": 0}'),)
            await super().append(Write(writes[0].stream, ExpectedRevision.ANY, other))
        try:
            return await super().append(*writes, durability=durability)
        except RevisionConflict:
            self.conflicts += 1
            raise

    def read_stream(
        self,
        stream: StreamId,
        *,
        from_revision: int = 0,
        as_of: AsOf | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        self.reads += 1
        return super().read_stream(
            stream, from_revision=from_revision, as_of=as_of, backwards=backwards, limit=limit
        )


@pytest.fixture
def log() -> CountingLog:
    return CountingLog()


class Desk:
    """One process's executor on a log, and one stream."""

    def __init__(self, log: MemoryEventLog, cache_size: int = 10) -> None:
        self._executor = Executor(log, WardCodec(), cache_size=cache_size)

    async def __call__(
        self,
        command: Command,
        request: Request | None = None,
        *,
        stream: StreamId = STREAM,
        expected_etag: int | None = None,
    ) -> Executed[Ward, Event]:
        return await self._executor.execute(
            stream,
            WARD,
            command,
            subject=stream.name,
            request=request or new_request(),
            expected_etag=expected_etag,
        )


async def test_a_command_leaves_a_state_and_its_events(log: CountingLog) -> None:
    do = Desk(log)

    first = await do(open_ward)
    second = await do(admit)

    assert first == Executed(Ward(True, 30, 0), (WardOpened(30),), 0, 1, duplicate=False)
    assert second == Executed(Ward(True, 30, 1), (PatientAdmitted(0),), 1, 2, duplicate=False)


async def test_a_kept_state_is_not_read_again(log: CountingLog) -> None:
    do = Desk(log)
    for command in (open_ward, admit, admit, close):
        await do(command)

    assert log.reads == 1


async def test_a_state_that_had_to_make_room_is_read_again(log: CountingLog) -> None:
    do = Desk(log, cache_size=1)
    other = new_stream()
    for stream in (STREAM, other, STREAM, other):
        await do(open_ward, stream=stream)

    assert (await do(admit)).revision == 1


async def test_a_state_is_loaded_as_it_is_now_whoever_changed_it(log: CountingLog) -> None:
    ours, theirs = Executor(log, WardCodec()), Desk(log)
    nothing = await ours.load(STREAM, WARD)
    await theirs(open_ward)
    opened = await ours.load(STREAM, WARD)
    await theirs(admit)

    assert (nothing.state, nothing.revision) == (Ward(), -1)
    assert (opened.state, opened.revision) == (Ward(True, 30, 0), 0)
    assert (await ours.load(STREAM, WARD)).state == Ward(True, 30, 1)


async def test_a_refusal_appends_nothing(log: CountingLog) -> None:
    do = Desk(log)

    with pytest.raises(Rejected, match="WARD_CLOSED"):
        await do(admit)

    assert (await log.head()).position == 0


async def test_what_is_so_already_appends_nothing_and_says_where_it_became_so(
    log: CountingLog,
) -> None:
    do = Desk(log)
    opened = await do(open_ward)

    assert await do(open_ward) == Executed(opened.state, (), 0, opened.position, duplicate=False)
    assert await do(close, stream=new_stream()) == Executed(Ward(), (), -1, 0, duplicate=False)


@pytest.mark.parametrize("desks", [1, 2], ids=["the same process", "another process"])
@pytest.mark.parametrize(
    "meanwhile",
    [(), (admit,), (close,), (close, open_ward, close)],
    ids=["at once", "moved on", "refused by now", "moved on further"],
)
async def test_a_repeated_request_is_answered_as_the_first_time(
    log: CountingLog, desks: int, meanwhile: tuple[Command, ...]
) -> None:
    do, again = Desk(log), Desk(log)
    await do(open_ward)
    first = await do(admit, new_request(b"admit"))
    for command in meanwhile:
        await do(command)
    head = await log.head()

    repeated = await (do if desks == 1 else again)(admit, new_request(b"admit"))

    assert repeated == Executed(
        first.state, first.events, first.revision, first.position, duplicate=True
    )
    assert await log.head() == head


async def test_a_repeated_request_is_answered_when_it_would_do_nothing_now(
    log: CountingLog,
) -> None:
    do = Desk(log)
    first = await do(open_ward, new_request(b"open"))

    assert await do(open_ward, new_request(b"open")) == Executed(
        first.state, first.events, 0, 1, duplicate=True
    )


@pytest.mark.parametrize(("then", "now"), [(2, 3), (3, 1)], ids=["more events", "fewer events"])
async def test_a_repeated_request_is_answered_when_it_would_do_otherwise_now(
    log: CountingLog, then: int, now: int
) -> None:
    do = Desk(log)
    await do(lambda _: [WardOpened(beds=then)])
    first = await do(fill, new_request(b"fill"))
    await do(lambda ward: [WardOpened(beds=ward.taken + now)])

    repeated = await do(fill, new_request(b"fill"))

    assert len(first.events) == then
    assert (repeated.events, repeated.revision) == (first.events, first.revision)
    assert repeated.duplicate


@pytest.mark.parametrize("command", [admit, open_ward, close], ids=lambda it: it.__name__)
async def test_another_request_with_the_ids_of_one_is_refused(
    log: CountingLog, command: Command
) -> None:
    do = Desk(log)
    await do(open_ward)
    await do(admit, new_request(b"used"))
    await do(close)

    with pytest.raises(EventIdReused):
        await do(command, new_request(b"used", digest=bytes([1]) * 32))


async def test_an_id_used_on_another_stream_is_refused(log: CountingLog) -> None:
    do = Desk(log)
    await do(open_ward, new_request(b"used"))

    with pytest.raises(EventIdReused):
        await do(open_ward, new_request(b"used"), stream=new_stream())


async def test_a_state_that_is_behind_costs_one_conflict_and_no_wrong_answer(
    log: CountingLog,
) -> None:
    ours, theirs = Desk(log), Desk(log)
    await ours(open_ward)

    await theirs(close)
    with pytest.raises(Rejected):
        await ours(admit)
    assert log.conflicts == 1

    await theirs(open_ward)
    log.conflicts = 0
    assert (await ours(admit)).revision == 3
    assert log.conflicts == 0


async def test_what_is_so_already_is_said_of_the_newest_state(log: CountingLog) -> None:
    ours, theirs = Desk(log), Desk(log)
    await ours(open_ward)
    await theirs(close)

    assert (await ours(open_ward)).events == (WardOpened(30),)
    await theirs(close)
    assert (await ours(close)).events == ()


async def test_an_etag_that_is_not_the_revision_is_a_conflict(log: CountingLog) -> None:
    do = Desk(log)
    with pytest.raises(RevisionConflict) as absent:
        await do(open_ward, expected_etag=0)
    await do(open_ward)
    await do(admit, expected_etag=0)

    with pytest.raises(RevisionConflict) as moved:
        await do(admit, expected_etag=0)

    assert absent.value.actual is None
    assert (moved.value.expected, moved.value.actual) == (ExpectedRevision.exact(0), 1)


async def test_an_etag_is_held_against_the_newest_state(log: CountingLog) -> None:
    ours, theirs = Desk(log), Desk(log)
    await ours(open_ward)
    await theirs(admit)

    with pytest.raises(RevisionConflict):
        await ours(admit, expected_etag=0)
    await theirs(admit)
    assert (await ours(admit, expected_etag=2)).revision == 3


async def test_a_repeated_request_does_not_fail_by_its_own_etag(log: CountingLog) -> None:
    do = Desk(log)
    await do(open_ward)
    first = await do(admit, new_request(b"admit"), expected_etag=0)

    repeated = await do(admit, new_request(b"admit"), expected_etag=0)

    assert (repeated.revision, repeated.duplicate) == (first.revision, True)


async def test_a_conflict_is_tried_again_three_times_at_most(log: CountingLog) -> None:
    do = Desk(log)
    await do(open_ward)

    log.rivals = 2
    assert (await do(admit)).revision == 3
    log.rivals = 3
    with pytest.raises(ConflictPersists):
        await do(admit)
    log.rivals = 0
    assert (await do(admit)).revision == 7


async def test_commands_at_once_on_one_stream_all_succeed_without_a_conflict(
    log: CountingLog,
) -> None:
    do = Desk(log)
    await do(open_ward)

    done = await asyncio.gather(*(do(admit) for _ in range(20)))

    assert [executed.revision for executed in done] == list(range(1, 21))
    assert log.conflicts == 0


async def test_the_same_request_at_once_is_executed_once(log: CountingLog) -> None:
    desks = [Desk(log), Desk(log)]
    await desks[0](open_ward)

    done = await asyncio.gather(
        *(desks[turn % 2](admit, new_request(b"admit")) for turn in range(6))
    )

    assert sorted(executed.duplicate for executed in done) == [False] + [True] * 5
    assert {executed.revision for executed in done} == {1}


async def test_a_state_beyond_a_restored_log_is_thrown_away(log: CountingLog) -> None:
    do = Desk(log)
    await do(open_ward)
    restored = CountingLog()
    await Desk(restored)(open_ward)
    for _ in range(3):
        await do(admit)
    await do(close)
    log._log, log._streams, log._by_id = restored._log, restored._streams, restored._by_id

    assert (await do(admit)).revision == 1


async def test_a_stream_that_a_restore_replaced_is_read_from_its_start(log: CountingLog) -> None:
    do = Desk(log)
    await do(open_ward)
    restored = CountingLog()
    await Desk(restored)(open_ward, stream=new_stream())
    await Desk(restored)(lambda _: [WardClosed()])
    log._log, log._streams, log._by_id = restored._log, restored._streams, restored._by_id

    assert (await do(open_ward)).revision == 1


async def test_a_command_of_more_events_than_can_be_recalled_is_refused(log: CountingLog) -> None:
    do = Desk(log)

    with pytest.raises(ValueError, match="16"):
        await do(lambda _: [WardClosed()] * 17)

    assert len((await do(lambda _: [WardClosed()] * 16)).events) == 16
