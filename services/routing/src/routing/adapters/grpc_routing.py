"""RoutingService over gRPC."""

from typing import Any, Final

import grpc
from careline.routing.v1 import routing_service_pb2 as pb2
from careline.routing.v1.routing_service_pb2_grpc import RoutingServiceServicer
from runtime.field_checks import word_of
from runtime.idempotency import Requests
from runtime.refusal import field_invalid
from runtime.resource_names import resource_name

from routing.adapters.messages import contact_message
from routing.application.contacts import Contacts
from routing.domain.contact import HIGHEST_PRIORITY

Context = grpc.aio.ServicerContext[Any, Any]
LEAVE_REASONS: Final = frozenset({"ABANDONED", "CLOSED"})


class GrpcRouting(RoutingServiceServicer):
    """Puts conversations into queues and says where they are."""

    def __init__(self, contacts: Contacts, requests: Requests) -> None:
        self._contacts = contacts
        self._requests = requests

    async def Enqueue(  # noqa: N802 - gRPC's name
        self, request: pb2.EnqueueRequest, _: Context
    ) -> pb2.EnqueueResponse:
        conversation = resource_name(request.conversation, "conversations", "conversation")
        queue = resource_name(request.queue, "queues", "queue")
        if not 0 <= request.priority <= HIGHEST_PRIORITY:
            raise field_invalid("priority", f"a whole number from 0 to {HIGHEST_PRIORITY}")
        known = await self._requests.request_of(request)
        # The contact's id comes from the request, so that the same request finds the same contact.
        reached = await self._contacts.enqueue(
            f"contacts/{known.ids(0)}", conversation, queue, request.priority, known
        )
        return pb2.EnqueueResponse(contact=contact_message(reached), position=reached.position)

    async def LeaveQueue(  # noqa: N802 - gRPC's name
        self, request: pb2.LeaveQueueRequest, _: Context
    ) -> pb2.LeaveQueueResponse:
        name = resource_name(request.contact, "contacts", "contact")
        reason = word_of(request.reason, LEAVE_REASONS, "reason")
        known = await self._requests.request_of(request)
        reached = await self._contacts.leave(name, reason, known)
        return pb2.LeaveQueueResponse(contact=contact_message(reached), position=reached.position)

    async def GetPosition(  # noqa: N802 - gRPC's name
        self, request: pb2.GetPositionRequest, _: Context
    ) -> pb2.GetPositionResponse:
        name = resource_name(request.contact, "contacts", "contact")
        reached, place = await self._contacts.place(name)
        return pb2.GetPositionResponse(contact=contact_message(reached), place=place)
