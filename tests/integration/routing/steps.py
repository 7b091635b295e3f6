"""What frontends, agents and operators do, a line each."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from careline.routing.v1 import agent_desk_service_pb2 as desk_pb2
from careline.routing.v1 import queue_service_pb2 as queues_pb2
from careline.routing.v1 import routing_service_pb2 as pb2
from integration.routing.rig import DEMO, Client, Process, request_id
from runtime.new_id import new_id

QUEUED, OFFERED = pb2.Contact.STATE_QUEUED, pb2.Contact.STATE_OFFERED
ASSIGNED, COMPLETED = pb2.Contact.STATE_ASSIGNED, pb2.Contact.STATE_COMPLETED
LEFT = pb2.Contact.STATE_LEFT
AVAILABLE, OFFLINE = desk_pb2.AVAILABILITY_AVAILABLE, desk_pb2.AVAILABILITY_OFFLINE
OFFER_TIMEOUT = timedelta(seconds=30)


def new_queue(name: str = "") -> queues_pb2.CreateQueueRequest:
    queue = queues_pb2.Queue(name=name or f"queues/{new_id()}", display_name="Appointments")
    queue.offer_timeout.FromTimedelta(OFFER_TIMEOUT)
    return queues_pb2.CreateQueueRequest(request_id=request_id(), queue=queue)


async def create_queue(process: Process, tenant: str = DEMO) -> str:
    operator = await process.operator(tenant)
    return (await operator.queues.CreateQueue(new_queue())).queue.name


def entry(queue: str, *, priority: int = 0, conversation: str = "") -> pb2.EnqueueRequest:
    return pb2.EnqueueRequest(
        request_id=request_id(),
        conversation=conversation or f"conversations/{new_id()}",
        queue=queue,
        priority=priority,
    )


async def enqueue(who: Client, queue: str, *, priority: int = 0, conversation: str = "") -> str:
    request = entry(queue, priority=priority, conversation=conversation)
    return (await who.routing.Enqueue(request)).contact.name


async def position(who: Client, contact: str) -> pb2.GetPositionResponse:
    return await who.routing.GetPosition(pb2.GetPositionRequest(contact=contact))


async def state(who: Client, contact: str) -> "pb2.Contact.State.ValueType":
    return (await position(who, contact)).contact.state


async def leave(who: Client, contact: str, reason: str = "ABANDONED") -> pb2.LeaveQueueResponse:
    return await who.routing.LeaveQueue(
        pb2.LeaveQueueRequest(request_id=request_id(), contact=contact, reason=reason)
    )


async def available(agent: Client, *queues: str) -> desk_pb2.SetAvailabilityResponse:
    return await agent.desk.SetAvailability(
        desk_pb2.SetAvailabilityRequest(
            request_id=request_id(), availability=AVAILABLE, queues=queues
        )
    )


async def offline(agent: Client) -> desk_pb2.SetAvailabilityResponse:
    return await agent.desk.SetAvailability(
        desk_pb2.SetAvailabilityRequest(request_id=request_id(), availability=OFFLINE)
    )


def acceptance(offer: str) -> desk_pb2.AcceptOfferRequest:
    return desk_pb2.AcceptOfferRequest(request_id=request_id(), offer=offer)


async def accept(agent: Client, offer: str) -> desk_pb2.AcceptOfferResponse:
    return await agent.desk.AcceptOffer(acceptance(offer))


async def decline(agent: Client, offer: str) -> desk_pb2.DeclineOfferResponse:
    return await agent.desk.DeclineOffer(
        desk_pb2.DeclineOfferRequest(request_id=request_id(), offer=offer)
    )


async def complete(agent: Client, contact: str) -> desk_pb2.CompleteWorkResponse:
    return await agent.desk.CompleteWork(
        desk_pb2.CompleteWorkRequest(request_id=request_id(), contact=contact)
    )


async def lapse(process: Process) -> None:
    """Let the time of all open offers pass, and have routing look at its boards."""
    process.ground.clock.advance(OFFER_TIMEOUT)
    await create_queue(process)


class WatchEnded(Exception):
    """The server ended a watch that should go on."""


class Desk:
    """An agent's watch on offers."""

    def __init__(self, answers: AsyncIterator[desk_pb2.WatchOffersResponse]) -> None:
        self._answers = answers

    async def next(self) -> desk_pb2.Offer:
        """Read on to the next offer, past heartbeats."""
        async with asyncio.timeout(20):
            async for answer in self._answers:
                if answer.HasField("offer"):
                    return answer.offer
        raise WatchEnded

    async def heartbeat(self) -> None:
        """Read one answer, which must be a heartbeat."""
        async with asyncio.timeout(20):
            assert not (await anext(self._answers)).HasField("offer")


@asynccontextmanager
async def at_desk(agent: Client) -> AsyncIterator[Desk]:
    call = agent.desk.WatchOffers(desk_pb2.WatchOffersRequest())
    try:
        yield Desk(aiter(call))
    finally:
        call.cancel()


async def offer_of(agent: Client) -> desk_pb2.Offer:
    """Give the offer that the agent has or gets next."""
    async with at_desk(agent) as desk:
        return await desk.next()


async def all_offline(agents: Iterable[Client]) -> None:
    for agent in agents:
        await offline(agent)
