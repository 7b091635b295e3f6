"""Events as the services append them: a patient's message, sealed, 300 bytes as it is stored."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Final
from uuid import uuid4

from careline.conversations.events.v1.events_pb2 import MessagePosted
from careline.log.v1.recorded_event_pb2 import Actor, EventMetadata
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import DIGEST, new_id, new_stream
from runtime.event_codec import LogCodec
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer

from benchmarks.store.keys import KeysInMemory

DATA_BYTES: Final = 300
LOG: Final = "conversations"
TYPE: Final = MessagePosted.DESCRIPTOR.full_name
METADATA: Final = EventMetadata(
    actor=Actor(name="services/web-frontend"),
    purpose_of_use="TREAT",
    correlation_id=str(uuid4()),
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
).SerializeToString()

_POOL = 512


def new_codec() -> LogCodec:
    """Make a codec whose keys are in memory."""
    return LogCodec(EventCodec(Sealer(KeysInMemory()), LOG, [MessagePosted]))


def posted(characters: int) -> MessagePosted:
    """Make a message whose text has so many characters."""
    message = MessagePosted(
        message=f"messages/{new_id()}",
        author_kind="PATIENT",
        author="services/web-frontend",
        channel="CHAT",
        text="How long must I fast before the scan? "[:characters].ljust(characters, "."),
    )
    message.post_time.FromDatetime(datetime.now(UTC))
    return message


async def text_length(codec: LogCodec) -> int:
    """Find how long a text makes an event of 300 bytes once it is sealed."""
    length = DATA_BYTES
    while True:
        [sealed] = await sealed_events(codec, new_stream(), 1, characters=length)
        if len(sealed.data) <= DATA_BYTES:
            return length
        length -= len(sealed.data) - DATA_BYTES


async def sealed_events(
    codec: LogCodec, stream: StreamId, count: int, *, characters: int
) -> tuple[NewEvent, ...]:
    """Seal so many messages of one conversation under its key."""
    ids = [new_id() for _ in range(count)]
    messages = [posted(characters) for _ in range(count)]
    return await codec.encode(stream, stream.name, ids, messages, METADATA, DIGEST)


async def sealed_bytes() -> list[bytes]:
    """Seal some hundred events, whose bytes appends use in turn: a log does not look into them."""
    codec = new_codec()
    characters = await text_length(codec)
    events = await sealed_events(codec, new_stream(), _POOL, characters=characters)
    return [event.data for event in events]


def writes(data: Sequence[bytes], writers: int, each: int) -> list[list[Write]]:
    """Make each writer's appends: one event after the other to a stream of its own."""
    bodies = cycle(data)
    streams = [new_stream() for _ in range(writers)]
    made: list[list[Write]] = [[] for _ in streams]
    for expected in _expectations(each):
        for stream, own in zip(streams, made, strict=True):
            event = NewEvent(new_id(), TYPE, next(bodies), METADATA, DIGEST)
            own.append(Write(stream, expected, (event,)))
    return made


def _expectations(count: int) -> Iterator[ExpectedRevision]:
    yield ExpectedRevision.NO_STREAM
    for revision in range(count - 1):
        yield ExpectedRevision.exact(revision)
