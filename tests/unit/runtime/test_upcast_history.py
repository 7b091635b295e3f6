"""A log of messages of several ages, folded by code that knows today's only."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from eventstore.decider import Decider
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.snapshots import Snapshots
from eventstore.state_reader import StateReader
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from runtime.event_codec import LogCodec
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer
from unit.eventstore.snapshots_in_memory import SnapshotsInMemory
from unit.sealing.keys_in_memory import KeysInMemory
from unit.sealing.test_upcasting import DESCRIBED, RECORDED, STEPS, TAKEN, TYPES

STREAM = StreamId("demo", "visits/1")


@dataclass(frozen=True, slots=True)
class Visits:
    taken: tuple[str, ...] = ()


def evolve(visits: Visits, event: Any) -> Visits:  # noqa: ANN401 - classes made at run time
    assert isinstance(event, TAKEN)
    return replace(visits, taken=(*visits.taken, event.visit))


VISITS = Decider[Visits, Any](Visits(), evolve)


def codec(keys: KeysInMemory, *, knows_all: bool) -> LogCodec:
    return LogCodec(EventCodec(Sealer(keys), "visits", TYPES, STEPS if knows_all else ()))


async def append(log: MemoryEventLog, before: LogCodec, events: list[Message]) -> None:
    ids = [uuid4() for _ in events]
    new = await before.encode(STREAM, STREAM.name, ids, events, b"", bytes(32))
    await log.append(Write(STREAM, ExpectedRevision.ANY, new))


async def test_evolve_sees_todays_messages_only_and_snapshots_go_on_from_them() -> None:
    keys, log, store = KeysInMemory(), MemoryEventLog(), SnapshotsInMemory()
    today = codec(keys, knows_all=True)
    old = [DESCRIBED(number=1, text="a"), RECORDED(visit="visits/2", complaint="b")]
    await append(log, codec(keys, knows_all=False), old)
    await append(log, today, [TAKEN(visit="visits/3")])
    keys.erase("demo", STREAM.name)

    whole = await StateReader(log, today, Snapshots(store, every=2)).newest(STREAM, VISITS)
    again = await StateReader(log, today, Snapshots(store, every=2)).newest(STREAM, VISITS)

    assert whole.state == Visits(("visits/1", "visits/2", "visits/3"))
    assert again == whole
    assert len(store.kept) == 1


def test_the_stored_types_that_a_reader_forgot_are_named() -> None:
    today = codec(KeysInMemory(), knows_all=True)
    names = [kind.DESCRIPTOR.full_name for kind in (DESCRIBED, RECORDED, TAKEN)]

    assert today.forgotten(names) == frozenset()
    assert today.forgotten(names[1:]) == {names[0]}
    assert today.forgotten(names[:1]) == frozenset()
