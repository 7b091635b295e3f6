"""Reads what a stream holds, in order, by a consumer of its own that leaves no trace."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from messaging.connect import NatsClient
from messaging.names import Consumption
from messaging.pull import PullOptions, open_pull

_PAGE = 512
# The server forgets the reader so long after it was last asked.
_FORGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the stream holds it."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    data: bytes


async def stored_messages(
    client: NatsClient, reading: Consumption, until: int, *, first: int = 1
) -> AsyncGenerator[StoredMessage, None]:
    """Yield the messages of `reading`'s stream from one sequence up to another, page by page.

    `reading` names the consumer, which nobody else may use meanwhile. Raises Stuck when the server
    is not heard.
    """
    js = client.jetstream()
    config = ConsumerConfig(
        name=reading.durable,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=first,
        ack_policy=AckPolicy.NONE,
        mem_storage=True,
        inactive_threshold=_FORGET_SECONDS,
    )
    await js.add_consumer(reading.stream, config)
    try:
        async with open_pull(client, reading, PullOptions(messages=_PAGE)) as pull:
            pending = until
            while pending:
                for message in await pull.next(_PAGE):
                    stored = _stored(message)
                    pending = message.metadata.num_pending
                    if stored.sequence > until:
                        return
                    yield stored
                    if stored.sequence == until:
                        return
    finally:
        with suppress(NotFoundError):
            await js.delete_consumer(reading.stream, reading.durable)


def _stored(message: Msg) -> StoredMessage:
    sequence = message.metadata.sequence.stream
    return StoredMessage(sequence, message.subject, message.headers or {}, message.data)
