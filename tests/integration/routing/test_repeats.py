"""The same request again: answered as the first time, done once, also at the same time."""

import asyncio

import pytest
from careline.routing.v1 import agent_desk_service_pb2 as desk_pb2
from careline.routing.v1 import queue_service_pb2 as queues_pb2
from careline.routing.v1 import routing_service_pb2 as pb2
from integration.routing.rig import Client, Process, request_id
from integration.routing.steps import (
    AVAILABLE,
    COMPLETED,
    LEFT,
    acceptance,
    available,
    create_queue,
    enqueue,
    entry,
    lapse,
    new_queue,
    offer_of,
    offline,
)
from integration.runtime.rig import eventually


@pytest.fixture
async def queue(process: Process) -> str:
    return await create_queue(process)


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.fixture
async def agent(process: Process) -> Client:
    return await process.agent()


async def test_a_conversation_is_queued_once_however_often_it_is_asked(
    process: Process, frontend: Client, queue: str
) -> None:
    request = entry(queue)
    answers = await asyncio.gather(*(frontend.routing.Enqueue(request) for _ in range(10)))

    assert len({one.contact.name for one in answers}) == 1
    assert len({one.position for one in answers}) == 1
    assert await process.types(answers[0].contact.name) == ["ContactEnqueued"]


async def test_queueing_is_answered_as_the_first_time_also_once_it_is_over(
    frontend: Client, queue: str
) -> None:
    request = entry(queue)
    first = await frontend.routing.Enqueue(request)
    await frontend.routing.LeaveQueue(
        pb2.LeaveQueueRequest(
            request_id=request_id(), contact=first.contact.name, reason="ABANDONED"
        )
    )

    assert await frontend.routing.Enqueue(request) == first


async def test_leaving_twice_is_leaving_once(
    process: Process, frontend: Client, queue: str
) -> None:
    contact = await enqueue(frontend, queue)
    request = pb2.LeaveQueueRequest(request_id=request_id(), contact=contact, reason="ABANDONED")
    first, second = await asyncio.gather(
        frontend.routing.LeaveQueue(request), frontend.routing.LeaveQueue(request)
    )

    assert first.contact == second.contact
    assert first.contact.state == LEFT
    assert await process.types(contact) == ["ContactEnqueued", "ContactLeft"]


async def test_an_acceptance_counts_once_and_holds_when_the_work_is_done(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    request = acceptance((await offer_of(agent)).name)
    answers = await asyncio.gather(*(agent.desk.AcceptOffer(request) for _ in range(5)))
    done = desk_pb2.CompleteWorkRequest(request_id=request_id(), contact=contact)
    completed = await agent.desk.CompleteWork(done)

    assert len({one.contact.SerializeToString() for one in answers}) == 1
    assert (await agent.desk.AcceptOffer(request)).contact.name == contact
    assert (await agent.desk.CompleteWork(done)).contact == completed.contact
    assert completed.contact.state == COMPLETED
    assert await process.types(contact) == [
        "ContactEnqueued",
        "ContactOffered",
        "OfferAccepted",
        "ContactCompleted",
    ]
    assert (await process.types(agent.name)).count("AgentEngaged") == 1
    await offline(agent)


async def test_a_repeated_decline_does_not_decline_the_next_offer(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    request = desk_pb2.DeclineOfferRequest(
        request_id=request_id(), offer=(await offer_of(agent)).name
    )
    await agent.desk.DeclineOffer(request)
    again = await offer_of(agent)
    await agent.desk.DeclineOffer(request)

    assert again.name != request.offer
    assert (await offer_of(agent)).name == again.name
    assert (await process.types(contact)).count("OfferDeclined") == 1
    await offline(agent)


async def test_an_availability_that_is_repeated_does_not_wake_who_is_away(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    request = desk_pb2.SetAvailabilityRequest(
        request_id=request_id(), availability=AVAILABLE, queues=[queue]
    )
    first = await agent.desk.SetAvailability(request)
    await enqueue(frontend, queue)
    await offer_of(agent)
    await lapse(process)

    async def away() -> bool:
        return (await process.types(agent.name))[-1:] == ["AgentAvailabilitySet"]

    await eventually(away)
    types = await process.types(agent.name)

    assert await agent.desk.SetAvailability(request) == first
    assert await process.types(agent.name) == types
    assert types.count("AgentAvailabilitySet") == 2


async def test_a_queue_is_made_once_and_listed_page_by_page(process: Process) -> None:
    operator = await process.operator()
    request = new_queue()
    first = await operator.queues.CreateQueue(request)
    again = new_queue(first.queue.name)
    names = {first.queue.name} | {await create_queue(process) for _ in range(4)}
    listed: list[str] = []
    token = ""
    while token or not listed:
        page = await operator.queues.ListQueues(
            queues_pb2.ListQueuesRequest(page_size=2, page_token=token)
        )
        assert len(page.queues) <= 2
        listed += [one.name for one in page.queues]
        token = page.next_page_token

    assert await operator.queues.CreateQueue(request) == first
    assert (await operator.queues.CreateQueue(again)).queue == first.queue
    assert await process.types(first.queue.name) == ["QueueCreated"]
    assert listed == sorted(set(listed))
    assert names <= set(listed)


async def test_a_list_of_queues_counts_who_waits(
    process: Process, frontend: Client, queue: str
) -> None:
    for _ in range(3):
        await enqueue(frontend, queue)
    operator = await process.operator()
    page = await operator.queues.ListQueues(queues_pb2.ListQueuesRequest(page_size=200))

    assert [one.waiting for one in page.queues if one.name == queue] == [3]
