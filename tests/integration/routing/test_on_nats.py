"""Routing between real streams: conversations', which it follows, and its own, which it fills."""

from careline.conversations.events.v1.events_pb2 import ConversationClosed
from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from integration.messaging.stream_rig import stream_content
from integration.routing.rig import DEMO, OTHER, Ground, Process, process_on
from integration.routing.steps import (
    ASSIGNED,
    LEFT,
    QUEUED,
    accept,
    at_desk,
    available,
    complete,
    create_queue,
    enqueue,
    offer_of,
    position,
    state,
)
from integration.runtime.rig import eventually
from messaging.received_event import ReceivedEvent
from runtime.new_id import new_id

TRACE = "0af7651916cd43dd8448eb211c80319c"


async def close(ground: Ground, conversation: str, tenant: str = DEMO) -> NewEvent:
    """Append, in conversations' log, that a conversation was closed."""
    metadata = EventMetadata(traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    event = NewEvent(
        new_id(),
        ConversationClosed.DESCRIPTOR.full_name,
        ConversationClosed(reason="ABANDONED").SerializeToString(),
        metadata.SerializeToString(),
        bytes(32),
    )
    await ground.conversations.log.append(
        Write(StreamId(tenant, conversation), ExpectedRevision.ANY, (event,))
    )
    return event


async def comes_to(process: Process, contact: str, *types: str) -> None:
    async def so_far() -> bool:
        return (await process.types(contact))[-len(types) :] == list(types)

    await eventually(so_far)


async def test_a_closed_conversation_leaves_its_queue(process: Process, ground: Ground) -> None:
    queue = await create_queue(process)
    frontend = await process.frontend()
    conversation = f"conversations/{new_id()}"
    contact = await enqueue(frontend, queue, conversation=conversation)
    staying = await enqueue(frontend, queue)
    await close(ground, conversation, OTHER)
    event = await close(ground, conversation)
    await comes_to(process, contact, "ContactLeft")
    *_, left = await process.events(contact)
    metadata = EventMetadata.FromString(left.metadata)

    assert await state(frontend, contact) == LEFT
    assert (await position(frontend, staying)).place == 1
    assert metadata.causation_id == str(event.id)
    assert metadata.traceparent.split("-")[1] == TRACE
    assert metadata.actor.name == "services/routing"


async def test_a_conversation_closed_while_it_is_offered_frees_the_agent(
    process: Process, ground: Ground
) -> None:
    queue = await create_queue(process)
    frontend, agent = await process.frontend(), await process.agent()
    conversation = f"conversations/{new_id()}"
    await available(agent, queue)
    await enqueue(frontend, queue, conversation=conversation)
    async with at_desk(agent) as desk:
        offer = await desk.next()
        await close(ground, conversation)
        gone = await desk.next()
    following = await enqueue(frontend, queue)

    assert (gone.name, gone.withdrawn) == (offer.name, True)
    assert (await offer_of(agent)).contact.name == following


async def test_an_agents_work_on_a_closed_conversation_is_his_to_complete(
    process: Process, ground: Ground
) -> None:
    queue = await create_queue(process)
    frontend, agent = await process.frontend(), await process.agent()
    conversation, following = f"conversations/{new_id()}", f"conversations/{new_id()}"
    await available(agent, queue)
    contact = await enqueue(frontend, queue, conversation=conversation)
    await accept(agent, (await offer_of(agent)).name)
    behind = await enqueue(frontend, queue, conversation=following)
    await close(ground, conversation)
    await close(ground, following)
    # What comes after it is handled, so it was handled too, and refused.
    await comes_to(process, behind, "ContactLeft")

    assert await state(frontend, contact) == ASSIGNED
    await complete(agent, contact)
    assert await process.ground.dead_letters() == []


async def test_a_conversation_closed_while_routing_was_away_leaves_once_it_is_back(
    ground: Ground,
) -> None:
    conversation = f"conversations/{new_id()}"
    async with process_on(ground) as process:
        queue = await create_queue(process)
        frontend = await process.frontend()
        contact = await enqueue(frontend, queue, conversation=conversation)
        assert await state(frontend, contact) == QUEUED
    await close(ground, conversation)
    async with process_on(ground) as process:
        await comes_to(process, contact, "ContactEnqueued", "ContactLeft")
    async with process_on(ground) as process:
        assert await process.types(contact) == ["ContactEnqueued", "ContactLeft"]


async def test_what_routing_decides_is_published_in_the_trace_of_the_queueing_call(
    process: Process, ground: Ground
) -> None:
    queue = await create_queue(process)
    frontend, agent = await process.frontend(), await process.agent()
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    await offer_of(agent)
    recorded = await process.events(contact)
    own: list[ReceivedEvent] = []
    async with await ground.nats.connect(ground.nats.administrator()) as administrator:

        async def published() -> bool:
            content = await stream_content(administrator, "CARELINE_ROUTING", expected=500)
            own[:] = [one for one in content if one.stream.name == contact]
            return len(own) == len(recorded)

        await eventually(published)
    queued, offered = (EventMetadata.FromString(one.metadata) for one in own)

    assert [one.data for one in own] == [one.data for one in recorded]
    assert {one.traceparent.split("-")[1] for one in own} == {queued.traceparent.split("-")[1]}
    assert (queued.actor.name, offered.actor.name) == (frontend.name, "services/routing")
    assert offered.causation_id == str(own[0].id)
