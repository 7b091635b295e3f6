"""AgentDeskService over gRPC: an agent acts for himself only."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc
from careline.routing.v1 import agent_desk_service_pb2 as pb2
from careline.routing.v1.agent_desk_service_pb2_grpc import AgentDeskServiceServicer
from runtime.idempotency import Requests
from runtime.refusal import field_invalid
from runtime.request_context import calling_principal
from runtime.resource_names import resource_name

from routing.adapters.messages import availability_message, contact_message, offer_message
from routing.application.boards import Boards
from routing.application.contacts import Contacts
from routing.domain.agent import Availability
from routing.domain.board import Board, OpenOffer

Context = grpc.aio.ServicerContext[Any, Any]
MOST_QUEUES: Final = 50
_CHOSEN: Final = {
    pb2.AVAILABILITY_AVAILABLE: Availability.AVAILABLE,
    pb2.AVAILABILITY_OFFLINE: Availability.OFFLINE,
}


class GrpcAgentDesk(AgentDeskServiceServicer):
    """Availability, offers and work of the calling agent."""

    def __init__(
        self, contacts: Contacts, boards: Boards, requests: Requests, *, heartbeat_seconds: float
    ) -> None:
        self._contacts = contacts
        self._boards = boards
        self._requests = requests
        self._heartbeat_seconds = heartbeat_seconds

    async def SetAvailability(  # noqa: N802 - gRPC's name
        self, request: pb2.SetAvailabilityRequest, _: Context
    ) -> pb2.SetAvailabilityResponse:
        availability = _CHOSEN.get(request.availability)
        if availability is None:
            raise field_invalid("availability", "AVAILABLE or OFFLINE")
        if len(request.queues) > MOST_QUEUES:
            raise field_invalid("queues", f"at most {MOST_QUEUES} queues")
        queues = frozenset(resource_name(one, "queues", "queues") for one in request.queues)
        if availability is Availability.AVAILABLE and not queues:
            raise field_invalid("queues", "at least one queue")
        known = await self._requests.request_of(request)
        done = await self._contacts.set_availability(
            calling_principal().name, availability, queues, known
        )
        return pb2.SetAvailabilityResponse(
            availability=availability_message(done.state.availability), position=done.position
        )

    async def WatchOffers(  # noqa: N802 - gRPC's name
        self, _request: pb2.WatchOffersRequest, _: Context
    ) -> AsyncIterator[pb2.WatchOffersResponse]:
        who, board = calling_principal().name, await self._contacts.newest_board()
        if (work := board.work_of(who)) is not None:
            # An agent's client that was started anew must find what the agent was working.
            yield await self._worked(work)
        shown = None
        while True:
            offer = board.offer_to(who)
            if offer == shown:
                yield pb2.WatchOffersResponse()
            elif shown is not None and board.work_of(who) == shown.contact:
                yield await self._worked(shown.contact)
            elif shown is not None:
                yield pb2.WatchOffersResponse(offer=offer_message(board, shown, withdrawn=True))
            if offer is not None and offer != shown:
                yield pb2.WatchOffersResponse(offer=offer_message(board, offer))
            shown = offer
            await self._boards.changed(_differs(board, who, shown), self._heartbeat_seconds)

    async def _worked(self, contact: str) -> pb2.WatchOffersResponse:
        reached = await self._contacts.contact(contact)
        return pb2.WatchOffersResponse(offer=pb2.Offer(contact=contact_message(reached)))

    async def AcceptOffer(  # noqa: N802 - gRPC's name
        self, request: pb2.AcceptOfferRequest, _: Context
    ) -> pb2.AcceptOfferResponse:
        offer = resource_name(request.offer, "offers", "offer")
        known = await self._requests.request_of(request)
        reached = await self._contacts.accept(calling_principal().name, offer, known)
        return pb2.AcceptOfferResponse(contact=contact_message(reached), position=reached.position)

    async def DeclineOffer(  # noqa: N802 - gRPC's name
        self, request: pb2.DeclineOfferRequest, _: Context
    ) -> pb2.DeclineOfferResponse:
        offer = resource_name(request.offer, "offers", "offer")
        known = await self._requests.request_of(request)
        return pb2.DeclineOfferResponse(
            position=await self._contacts.decline(calling_principal().name, offer, known)
        )

    async def CompleteWork(  # noqa: N802 - gRPC's name
        self, request: pb2.CompleteWorkRequest, _: Context
    ) -> pb2.CompleteWorkResponse:
        name = resource_name(request.contact, "contacts", "contact")
        known = await self._requests.request_of(request)
        reached = await self._contacts.complete(calling_principal().name, name, known)
        return pb2.CompleteWorkResponse(contact=contact_message(reached), position=reached.position)


def _differs(board: Board, who: str, seen: OpenOffer | None) -> Callable[[], bool]:
    return lambda: board.offer_to(who) != seen
