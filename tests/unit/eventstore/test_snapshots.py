"""Long streams are read from a snapshot on; whatever is wrong with one, events alone count."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from eventstore.as_of import AsOf
from eventstore.decider import Decider
from eventstore.event import RecordedEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.snapshots import Snapshot, Snapshots
from eventstore.state_cache import Loaded
from eventstore.state_reader import StateReader
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import new_event
from unit.eventstore.snapshots_in_memory import SnapshotsInMemory
from unit.eventstore.ward import WARD, Event, Ward, WardCodec, evolve

STREAM = StreamId("demo", "wards/1")
EVERY = 10


class Shelf:
    """One stream, read by one process after the other; `read` lists the revisions that were."""

    def __init__(self) -> None:
        self.log = MemoryEventLog()
        self.store = SnapshotsInMemory()
        self.read: list[int] = []
        self.snapshots = Snapshots(self.store, every=EVERY)

    async def admit(self, events: int) -> None:
        new = tuple(new_event("PatientAdmitted", data=b'nonce   {"bed": 0}') for _ in range(events))
        await self.log.append(Write(STREAM, ExpectedRevision.ANY, new))

    async def load(self, decider: Decider[Ward, Event] = WARD) -> Loaded[Ward]:
        self.snapshots = Snapshots(self.store, every=EVERY)
        return await self.states().newest(STREAM, decider)

    def states(self) -> StateReader:
        self.read = []
        return StateReader(_Watched(self.log, self.read), WardCodec(), self.snapshots)

    def spoil(self, change: Callable[[Snapshot], Snapshot]) -> None:
        self.store.kept = {key: change(kept) for key, kept in self.store.kept.items()}


class _Watched(MemoryEventLog):
    def __init__(self, log: MemoryEventLog, read: list[int]) -> None:
        super().__init__()
        self._watched = log
        self._read = read

    async def read_stream(
        self,
        stream: StreamId,
        *,
        from_revision: int = 0,
        as_of: AsOf | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        async for event in self._watched.read_stream(
            stream, from_revision=from_revision, as_of=as_of, backwards=backwards, limit=limit
        ):
            self._read.append(event.revision)
            yield event


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_a_long_stream_is_read_from_its_snapshot_on(shelf: Shelf) -> None:
    await shelf.admit(25)
    whole = await shelf.load()
    await shelf.admit(3)

    tail = await shelf.load()

    assert whole == Loaded(Ward(taken=25), 24, 25)
    assert tail == Loaded(Ward(taken=28), 27, 28)
    assert shelf.read == [24, 25, 26, 27]
    assert shelf.snapshots.counts.used == 1


async def test_a_short_stream_is_not_kept(shelf: Shelf) -> None:
    await shelf.admit(EVERY - 1)
    await shelf.load()
    assert shelf.store.kept == {}

    await shelf.admit(1)
    await shelf.load()
    assert [kept.revision for kept in shelf.store.kept.values()] == [EVERY - 1]


async def test_a_snapshot_is_renewed_when_as_many_events_were_passed_again(shelf: Shelf) -> None:
    revisions = []
    for _ in range(4):
        await shelf.admit(6)
        await shelf.load()
        revisions += [kept.revision for kept in shelf.store.kept.values()]

    assert revisions == [11, 11, 23]


async def test_a_state_of_the_past_neither_uses_nor_replaces_a_newer_snapshot(shelf: Shelf) -> None:
    await shelf.admit(25)
    await shelf.load()

    then = await shelf.states().at(STREAM, WARD, AsOf(position=15))

    assert then == Loaded(Ward(taken=15), 14, 15)
    assert [kept.revision for kept in shelf.store.kept.values()] == [24]


async def test_a_state_after_the_snapshot_is_read_from_it_on(shelf: Shelf) -> None:
    await shelf.admit(25)
    await shelf.load()
    await shelf.admit(5)

    assert (await shelf.states().at(STREAM, WARD, AsOf(revision=26))).state == Ward(taken=27)
    assert shelf.read == [26, 24, 25, 26]


async def test_a_state_that_this_code_cannot_read_is_passed_over(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.admit(25)
    monkeypatch.setattr("eventstore.snapshots.encode_state", lambda _: b'{"taken":"25"}')
    await shelf.load()

    assert (await shelf.load()).state == Ward(taken=25)
    assert shelf.snapshots.counts.refused == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: replace(kept, state=kept.state[:-1]),
        lambda kept: replace(kept, state=b"{}"),
        lambda kept: replace(kept, state=kept.state.replace(b"25", b'"25"')),
        lambda kept: replace(kept, revision=20),
        lambda kept: replace(kept, revision=99),
        lambda kept: replace(kept, position=99),
    ],
    ids=["cut off", "empty", "of another type", "moved", "beyond", "elsewhere"],
)
async def test_a_wrong_snapshot_is_passed_over_told_and_replaced(
    shelf: Shelf,
    change: Callable[[Snapshot], Snapshot],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await shelf.admit(25)
    whole = await shelf.load()
    good = dict(shelf.store.kept)
    shelf.spoil(change)

    assert await shelf.load() == whole

    assert shelf.snapshots.counts.refused == 1
    assert "passed over" in caplog.text
    assert shelf.store.kept == good


async def test_a_snapshot_beyond_a_restored_head_is_never_used(shelf: Shelf) -> None:
    await shelf.admit(25)
    await shelf.load()
    shelf.log = MemoryEventLog()
    await shelf.admit(5)

    assert await shelf.load() == Loaded(Ward(taken=5), 4, 5)
    assert shelf.snapshots.counts.refused == 1


async def test_a_stream_that_a_restore_took_away_is_no_stream(shelf: Shelf) -> None:
    await shelf.admit(25)
    await shelf.load()
    shelf.log = MemoryEventLog()

    assert await shelf.load() == Loaded(Ward(), -1, 0)


async def test_a_store_that_is_away_costs_a_replay_and_is_told(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    await shelf.admit(25)
    shelf.store.is_away = True

    assert (await shelf.load()).state == Ward(taken=25)
    assert shelf.snapshots.counts.unavailable == 2
    assert "not to be had" in caplog.text


async def test_another_evolve_has_snapshots_of_its_own(shelf: Shelf) -> None:
    await shelf.admit(25)
    await shelf.load()

    assert (await shelf.load(Decider(Ward(), evolve_twice))).state == Ward(taken=50)
    assert len(shelf.store.kept) == 2


async def test_an_evolve_without_a_name_is_read_whole_each_time(shelf: Shelf) -> None:
    await shelf.admit(25)
    nameless = Decider[Ward, Event](Ward(), lambda ward, _: replace(ward, taken=ward.taken + 1))

    assert (await shelf.load(nameless)).state == Ward(taken=25)
    assert shelf.store.kept == {}


def evolve_twice(ward: Ward, event: Event) -> Ward:
    return evolve(evolve(ward, event), event)
