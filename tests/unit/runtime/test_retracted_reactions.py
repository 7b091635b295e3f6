"""Which of a service's events react to what a restored log took back, counted and named."""

from hashlib import sha256
from typing import cast

from careline.log.events.v1.events_pb2 import LogRead, ReactionsRetracted
from careline.log.v1.recorded_event_pb2 import EventMetadata, EventPlace
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.stream_id import StreamId
from messaging.retraction import Retraction
from runtime.event_codec import LogCodec
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.new_id import new_id
from runtime.retracted_reactions import MOST_NAMED, RETRACTION_EVENTS, RetractedReactions
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer
from sqlalchemy.ext.asyncio import AsyncConnection
from unit.sealing.keys_in_memory import KeysInMemory

RETRACTION = Retraction("conversations", from_epoch=1, to_epoch=2, after=10, until=20)
UNUSED = cast("AsyncConnection", None)


class IndexKeys:
    async def index_key(self, tenant: str, purpose: str) -> bytes:
        return sha256(f"{tenant}/{purpose}".encode()).digest()


async def react(log: MemoryEventLog, tenant: str, number: int, position: int) -> None:
    cause = EventPlace(service=RETRACTION.source, epoch=1, position=position)
    metadata = EventMetadata(cause=cause).SerializeToString()
    events = tuple(
        NewEvent(new_id(), LogRead.DESCRIPTOR.full_name, b"", metadata, bytes(32))
        for _ in range(number)
    )
    await log.append(Write(StreamId(tenant, f"contacts/{tenant}"), ExpectedRevision.ANY, events))


async def test_each_tenants_are_counted_and_the_first_hundred_named() -> None:
    log = MemoryEventLog()
    codec = LogCodec(EventCodec(Sealer(KeysInMemory()), "routing", RETRACTION_EVENTS))
    reactions = RetractedReactions("routing", log, EventRecorder(log, codec), Requests(IndexKeys()))
    await react(log, "many", MOST_NAMED + 3, 20)
    await react(log, "few", 2, 11)
    await react(log, "none", 2, 10)
    ids = [str(event.id) async for event in log.read_log() if event.stream.tenant == "many"]
    for _ in range(2):
        await reactions.retract(UNUSED, RETRACTION)

    told = {
        event.stream.tenant: ReactionsRetracted.FromString(event.data)
        async for event in log.read_log()
        if event.stream.category == "retractions"
    }
    counts = {tenant: (one.count, len(one.reactions)) for tenant, one in told.items()}
    assert counts == {"many": (MOST_NAMED + 3, MOST_NAMED), "few": (2, 2)}
    assert [one.event_id for one in told["many"].reactions] == ids[:MOST_NAMED]
