"""Two tenants in one process, who never see each other."""

from careline.routing.v1 import queue_service_pb2 as queues_pb2
from integration.bad_calls import refused
from integration.routing.rig import DEMO, OTHER, Process, request_id
from integration.routing.steps import (
    accept,
    at_desk,
    available,
    complete,
    create_queue,
    decline,
    enqueue,
    leave,
    new_queue,
    offer_of,
    position,
)


async def test_queues_of_one_name_are_two_and_each_has_its_own_contacts(process: Process) -> None:
    name = new_queue().queue.name
    for tenant in (DEMO, OTHER):
        await (await process.operator(tenant)).queues.CreateQueue(new_queue(name))
    frontends = {tenant: await process.frontend(tenant) for tenant in (DEMO, OTHER)}
    agents = {tenant: await process.agent(tenant=tenant) for tenant in (DEMO, OTHER)}
    contact = await enqueue(frontends[DEMO], name)
    async with at_desk(agents[OTHER]) as desk:
        await available(agents[OTHER], name)
        await available(agents[DEMO], name)
        assert (await offer_of(agents[DEMO])).contact.name == contact
        # Idle for longer, in the queue of that name, and asked nothing.
        await desk.heartbeat()
        await desk.heartbeat()
        own = await enqueue(frontends[OTHER], name)
        assert (await desk.next()).contact.name == own
    assert (await process.types(agents[OTHER].name, OTHER))[-1] == "AgentReserved"
    assert await process.events(contact, OTHER) == []


async def test_what_another_tenant_has_is_denied_or_absent(process: Process) -> None:
    queue = await create_queue(process)
    frontend, agent = await process.frontend(), await process.agent()
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    offer = await offer_of(agent)
    stranger, other = await process.frontend(OTHER), await process.agent(tenant=OTHER)
    async with process.unchanged():
        for call in (
            position(stranger, contact),
            leave(stranger, contact),
            complete(other, contact),
        ):
            assert (await refused(call)).reason == "DENIED_OR_ABSENT"
        for answer in (accept(other, offer.name), decline(other, offer.name)):
            assert (await refused(answer)).reason == "OFFER_GONE"
        for entry in (enqueue(stranger, queue), available(other, queue)):
            assert (await refused(entry)).reason == "QUEUE_UNKNOWN"


async def test_lists_name_the_callers_own_queues(process: Process) -> None:
    queue = await create_queue(process)
    other = await create_queue(process, OTHER)
    listed = {}
    for tenant in (DEMO, OTHER):
        operator = await process.operator(tenant)
        page = await operator.queues.ListQueues(queues_pb2.ListQueuesRequest(page_size=200))
        listed[tenant] = {one.name for one in page.queues}

    assert queue in listed[DEMO] - listed[OTHER]
    assert other in listed[OTHER] - listed[DEMO]


async def test_the_same_request_of_two_tenants_is_two_requests(process: Process) -> None:
    request = new_queue()
    request.request_id = request_id()
    first = await (await process.operator(DEMO)).queues.CreateQueue(request)
    second = await (await process.operator(OTHER)).queues.CreateQueue(request)

    assert first.position != second.position
    assert await process.types(request.queue.name, OTHER) == ["QueueCreated"]
