"""Hands one-time codes to conversations, which has the frontends' outbox (ADR 8)."""

from typing import Final

import grpc
from careline.conversations.v1 import conversation_pb2, delivery_service_pb2
from careline.conversations.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from runtime.errors import reason_from
from runtime.new_id import new_id

from identity.application.code_delivery import CodeToDeliver, CodeUndeliverable

_CHANNELS: Final = {
    "SMS": conversation_pb2.CHANNEL_SMS,
    "VOICE": conversation_pb2.CHANNEL_VOICE,
}
_UNDELIVERABLE: Final = frozenset(
    {
        "CODE_UNDELIVERABLE",
        "CHANNEL_NOT_JOINED",
        "CONVERSATION_STATE",
        "DENIED_OR_ABSENT",
        "FIELD_INVALID",
    }
)
"""Reasons that no further try changes."""


class GrpcCodeDelivery:
    """CodeDelivery over DeliveryService.EnqueueCode, called as services/identity."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = DeliveryServiceStub(channel)

    async def enqueue(self, code: CodeToDeliver) -> None:
        request = delivery_service_pb2.EnqueueCodeRequest(
            request_id=str(new_id()),
            conversation=code.conversation,
            channel=_CHANNELS[code.channel],
            address=code.address,
            one_time_code=code.code,
        )
        request.expire_time.FromDatetime(code.expires)
        try:
            await self._stub.EnqueueCode(request)
        except grpc.aio.AioRpcError as error:
            if reason_from(error) in _UNDELIVERABLE:
                raise CodeUndeliverable from None
            raise
