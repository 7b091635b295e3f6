"""What a stream holds, read by an administrator behind the backs of relay and consumers."""

import json

from eventstore.event import RecordedEvent
from messaging.connect import NatsClient
from messaging.headers import received_event
from messaging.received_event import ReceivedEvent


async def stream_content(client: NatsClient, stream: str, *, expected: int) -> list[ReceivedEvent]:
    """Read all there is, through one batched direct request a time."""
    inbox = client.new_inbox()
    answers = await client.subscribe(inbox)
    name = f"reader{inbox[-8:]}"
    js = client.jetstream()
    await js.add_consumer(stream, name=name, ack_policy="none", mem_storage=True)
    content: list[ReceivedEvent] = []
    request = json.dumps({"batch": expected + 1, "expires": 300_000_000}).encode()
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}", request, reply=inbox)
    while True:
        message = await answers.next_msg(timeout=10)
        headers = message.headers or {}
        if "Status" in headers:
            break
        content.append(received_event(message.subject, headers, message.data))
    await answers.unsubscribe()
    await js.delete_consumer(stream, name)
    return content


def places(events: list[RecordedEvent] | list[ReceivedEvent]) -> list[tuple[int, int, object]]:
    """Say what must be equal of log and stream: order, links, ids, bytes."""
    return [
        (event.position, event.previous_position, (event.id, event.type, event.data))
        for event in events
    ]
