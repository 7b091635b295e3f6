"""What a stream holds of its log beyond the log's archive, for a log that was lost."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from eventstore.archive.tail import TailEnds
from eventstore.event import RecordedEvent

from messaging.connect import NatsClient
from messaging.headers import MessageMalformed, Origin
from messaging.names import Consumption
from messaging.published_event import Omitted, published_event, published_place
from messaging.received_event import ReceivedEvent
from messaging.stored_messages import StoredMessage, stored_messages
from messaging.stream_search import first_beyond
from messaging.stream_tail import tail_if_any


class PublishedTail:
    """Reads the stream of `reading.source` by a consumer that `reading` names.

    Nothing in a stream is signed: that a message is the log's rests on NATS, which lets the
    service's relay alone publish there. What can be checked is checked. Methods raise Stuck.
    """

    def __init__(self, client: NatsClient, reading: Consumption) -> None:
        self._client = client
        self._reading = reading

    async def reach(self, archived: Mapping[int, int]) -> tuple[int, int]:
        """Give the newest epoch and the highest position that any message beyond the archive has.

        `archived` has for each epoch the last position that the archive holds. (0, 0) for none.
        """
        epoch = position = 0
        async with aclosing(self.messages(archived)) as messages:
            async for message in messages:
                event = self._own(message)
                if event is not None:
                    epoch, position = max(epoch, event.epoch), max(position, event.position)
        return epoch, position

    async def events(
        self, archived: Mapping[int, int], after: int
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Yield the events that follow a position without a gap, in the newest archived epoch.

        Raises TailEnds at the first message that does not belong there.
        """
        epoch = max(archived)
        async with aclosing(self.messages(archived)) as messages:
            async for message in messages:
                event = self._next(message, epoch, after)
                after = event.position
                yield event

    async def messages(self, archived: Mapping[int, int]) -> AsyncGenerator[StoredMessage, None]:
        """Yield the messages from the first one that is beyond the archive."""
        tail = await tail_if_any(self._client.jetstream(), self._reading.source)
        if tail is None or not tail.message_sequence:
            return

        def is_beyond(origin: Origin) -> bool:
            return origin.position > archived.get(origin.epoch, 0)

        last = tail.message_sequence
        js = self._client.jetstream()
        first = await first_beyond(js, self._reading.stream, last, is_beyond)
        if first > last:
            return
        async with aclosing(
            stored_messages(self._client, self._reading, last, first=first)
        ) as stored:
            async for message in stored:
                yield message

    def _own(self, message: StoredMessage) -> ReceivedEvent | None:
        try:
            event = published_place(message)
        except MessageMalformed:
            return None
        return event if event.source == self._reading.source else None

    def _next(self, message: StoredMessage, epoch: int, after: int) -> RecordedEvent:
        event = self._own(message)
        if event is None:
            raise TailEnds("a message that its relay did not publish")
        if event.epoch != epoch:
            raise TailEnds(f"an event of epoch {event.epoch}, not {epoch}")
        if event.previous_position != after or event.position <= after:
            raise TailEnds(
                f"a gap: position {event.position} follows {event.previous_position}, not {after}"
            )
        try:
            return published_event(event, message.headers)
        except Omitted:
            raise TailEnds(f"position {event.position} was too large for the stream") from None
        except MessageMalformed:
            raise TailEnds(f"position {event.position} was published incompletely") from None
