"""The random requests of the oracle's writers."""

import random
from uuid import UUID

from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import DIGEST, new_id, new_stream

HOT_STREAMS = tuple(StreamId("oracle", f"hot/{number}") for number in range(10))
KIND = "careline.oracle.v1.Happened"


def content_of(event_id: UUID) -> bytes:
    """Derive an event's data from its id, so that any mix-up shows."""
    return event_id.bytes * (1 + event_id.int % 20)


class Requests:
    """Draws requests over one to three streams, guessing at revisions from what was answered."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._heads: dict[StreamId, int] = {}

    def next(self) -> tuple[Write, ...]:
        streams = self._draw.sample(HOT_STREAMS, self._draw.choice((1, 1, 1, 1, 2, 3)))
        return tuple(
            Write(stream, self._expectation(stream), self._events())
            for stream in (
                new_stream("oracle") if self._draw.random() < 0.2 else stream for stream in streams
            )
        )

    def learn(self, writes: tuple[Write, ...], revisions: tuple[int, ...]) -> None:
        for write, revision in zip(writes, revisions, strict=True):
            if write.stream in HOT_STREAMS:
                self._heads[write.stream] = revision

    def unlearn(self, stream: StreamId, actual: int | None) -> None:
        if actual is not None and stream in HOT_STREAMS:
            self._heads[stream] = actual

    def _expectation(self, stream: StreamId) -> ExpectedRevision:
        head = self._heads.get(stream)
        guess = ExpectedRevision.NO_STREAM if head is None else ExpectedRevision.exact(head)
        any_, exists = ExpectedRevision.ANY, ExpectedRevision.STREAM_EXISTS
        return self._draw.choice((any_, any_, exists, guess, guess))

    def _events(self) -> tuple[NewEvent, ...]:
        ids = [new_id() for _ in range(self._draw.randint(1, 5))]
        return tuple(NewEvent(each, KIND, content_of(each), b"metadata", DIGEST) for each in ids)
