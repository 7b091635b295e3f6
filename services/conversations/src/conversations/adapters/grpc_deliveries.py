"""DeliveryService over gRPC: what frontends send out."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import grpc
from careline.conversations.v1 import delivery_service_pb2 as pb2
from careline.conversations.v1.delivery_service_pb2_grpc import DeliveryServiceServicer
from runtime.access import Access, Resource
from runtime.field_checks import moment_of
from runtime.refusal import field_invalid
from runtime.request_context import calling_principal, current_request
from runtime.resource_names import uuid_resource_name

from conversations.adapters import api_words, fields
from conversations.adapters.api_words import CHANNEL_OF
from conversations.application.acknowledging import Acknowledging
from conversations.application.delivering import Delivering
from conversations.application.one_time_codes import OneTimeCodes
from conversations.application.outgoing import Addressee, Waiting
from conversations.domain.conversation import Channel, DeliveryStatus
from conversations.domain.delivery import FailureCode

Context = grpc.aio.ServicerContext[Any, Any]


class GrpcDeliveries(DeliveryServiceServicer):
    """Gives each frontend its own deliveries only."""

    def __init__(
        self,
        access: Access,
        delivering: Delivering,
        acknowledging: Acknowledging,
        codes: OneTimeCodes,
    ) -> None:
        self._access = access
        self._delivering = delivering
        self._acknowledging = acknowledging
        self._codes = codes

    async def WatchDeliveries(  # noqa: N802  gRPC's name
        self, request: pb2.WatchDeliveriesRequest, _: Context
    ) -> AsyncGenerator[pb2.WatchDeliveriesResponse, None]:
        waiting = self._delivering.watch(self._addressee(request))
        async with aclosing(waiting):
            async for deliveries in waiting:
                yield pb2.WatchDeliveriesResponse(deliveries=map(_delivery, deliveries))

    async def AcknowledgeDelivery(  # noqa: N802  gRPC's name
        self, request: pb2.AcknowledgeDeliveryRequest, _: Context
    ) -> pb2.AcknowledgeDeliveryResponse:
        status = api_words.reported_status(request.status)
        position = await self._acknowledging.acknowledge(
            calling_principal().name,
            uuid_resource_name(request.delivery, "deliveries", "delivery"),
            request,
            status=status,
            failure_code=_failure_code(request, status),
        )
        return pb2.AcknowledgeDeliveryResponse(position=position)

    async def EnqueueCode(  # noqa: N802  gRPC's name
        self, request: pb2.EnqueueCodeRequest, _: Context
    ) -> pb2.EnqueueCodeResponse:
        name = uuid_resource_name(request.conversation, "conversations", "conversation")
        channel = api_words.channel(request.channel)
        delivery = await self._codes.enqueue(
            name,
            request,
            channel=channel,
            address=fields.address(request.address, channel),
            code=fields.one_time_code(request.one_time_code),
            expire_time=moment_of(request.expire_time, "expire_time"),
        )
        return pb2.EnqueueCodeResponse(delivery=delivery)

    def _addressee(self, request: pb2.WatchDeliveriesRequest) -> Addressee:
        """Take the channels asked for, each of which policies let the frontend serve, or all."""
        context, frontend = current_request(), calling_principal()
        wanted = frozenset(api_words.channel(one, "channels") for one in request.channels)
        for channel in wanted:
            self._access.require(context.action, Resource("Channel", channel, {"name": channel}))
        return Addressee(context.tenant, frontend.name, wanted or frontend.channels)


def _failure_code(
    request: pb2.AcknowledgeDeliveryRequest, status: DeliveryStatus
) -> FailureCode | None:
    if status is DeliveryStatus.FAILED:
        return fields.one_of(FailureCode, request.failure_code, "failure_code")
    if request.failure_code:
        raise field_invalid("failure_code", "nothing, unless it FAILED")
    return None


def _delivery(waiting: Waiting) -> pb2.Delivery:
    delivery = pb2.Delivery(
        name=waiting.name,
        conversation=waiting.conversation,
        channel=CHANNEL_OF[Channel(waiting.channel)],
        address=waiting.address,
        text=waiting.text,
        one_time_code=waiting.code,
        message=waiting.message,
    )
    delivery.expire_time.FromDatetime(waiting.expire_time)
    return delivery
