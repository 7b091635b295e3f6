"""A state read from a snapshot and the tail is the state that all events make, for each decider."""

import asyncio
from uuid import uuid4

import pytest
from contract.deciders.all_deciders import ALL, Folded
from contract.deciders.any_event import BEFORE, any_event
from eventstore.as_of import AsOf
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.snapshots import Snapshots
from eventstore.state_cache import Loaded
from eventstore.state_codec import decode_state, encode_state
from eventstore.state_reader import StateReader
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime.event_codec import LogCodec
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer
from unit.eventstore.snapshots_in_memory import SnapshotsInMemory
from unit.sealing.keys_in_memory import KeysInMemory

STREAM = StreamId("demo", "things/1")
EVERY = 4
EACH = pytest.mark.parametrize("folded", ALL, ids=lambda folded: folded.name)


class Process:
    """Appends what it is given, and reads with what earlier processes left."""

    def __init__(self, folded: Folded) -> None:
        self.log = MemoryEventLog()
        self.folded = folded
        self.store = SnapshotsInMemory()
        self.codec = LogCodec(EventCodec(Sealer(KeysInMemory()), folded.service, folded.events))

    async def append(self, events: list[Message]) -> None:
        if events:
            new = tuple(
                NewEvent(
                    uuid4(), event.DESCRIPTOR.full_name, event.SerializeToString(), b"", bytes(32)
                )
                for event in events
            )
            await self.log.append(Write(STREAM, ExpectedRevision.ANY, new))

    async def read(self, snapshots: Snapshots | None) -> Loaded[object]:
        states = StateReader(self.log, self.codec, snapshots)
        return await states.newest(STREAM, self.folded.decider)


@EACH
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_snapshot_and_tail_make_the_state_of_a_full_replay(
    folded: Folded, data: st.DataObject
) -> None:
    events = st.lists(st.one_of(*map(any_event, folded.events)), max_size=8)
    batches = [list(BEFORE.get(folded.name, ())), *data.draw(st.lists(events, max_size=4))]

    async def check() -> None:
        process = Process(folded)
        for batch in batches:
            await process.append(batch)
            snapshots = Snapshots(process.store, every=EVERY)
            assert await process.read(snapshots) == await process.read(None)
            assert (snapshots.counts.refused, snapshots.counts.unavailable) == (0, 0)

    asyncio.run(check())


@EACH
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_stream_that_is_long_enough_is_read_from_a_snapshot(
    folded: Folded, data: st.DataObject
) -> None:
    events = st.lists(st.one_of(*map(any_event, folded.events)), min_size=EVERY, max_size=EVERY)
    history = [*BEFORE.get(folded.name, ()), *data.draw(events)]

    async def check() -> None:
        process = Process(folded)
        await process.append(history)
        await process.read(Snapshots(process.store, every=EVERY))
        again = Snapshots(process.store, every=EVERY)
        await process.read(again)
        assert again.counts.used == 1

    asyncio.run(check())


@EACH
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_state_of_the_past_is_what_the_events_until_then_make(
    folded: Folded, data: st.DataObject
) -> None:
    before = list(BEFORE.get(folded.name, ()))
    events = st.lists(st.one_of(*map(any_event, folded.events)), min_size=1, max_size=8)
    first, later = data.draw(events), data.draw(events)
    until = data.draw(st.integers(0, len(before) + len(first) + len(later) - 1))

    async def check() -> None:
        process = Process(folded)
        await process.append([*before, *first])
        await process.read(Snapshots(process.store, every=EVERY))
        await process.append(later)
        states = StateReader(process.log, process.codec, Snapshots(process.store, every=EVERY))
        then = await states.at(STREAM, folded.decider, AsOf(revision=until))

        history = [*before, *first, *later][: until + 1]
        assert then.state == folded.decider.fold(folded.decider.initial, history)
        assert then.revision == until

    asyncio.run(check())


@EACH
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_state_written_is_the_state_read_and_equal_states_are_equal_bytes(
    folded: Folded, data: st.DataObject
) -> None:
    events = data.draw(st.lists(st.one_of(*map(any_event, folded.events)), max_size=12))
    decider = folded.decider
    state = decider.fold(decider.initial, [*BEFORE.get(folded.name, ()), *events])

    written = encode_state(state)

    assert decode_state(type(decider.initial), written) == state
    assert encode_state(decode_state(type(decider.initial), written)) == written
