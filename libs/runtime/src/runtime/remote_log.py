"""Another service's log over its LogService: what a consumer fills gaps from, and its epoch."""

from collections.abc import AsyncIterator

import grpc
from careline.log.v1.log_service_pb2 import GetHeadRequest, ReadLogRequest
from careline.log.v1.log_service_pb2_grpc import LogServiceStub
from eventstore.event_log import Head
from messaging.headers import from_log
from messaging.received_event import ReceivedEvent

from runtime.log_event import from_proto


class RemoteLogReader:
    """messaging's LogReader over a channel to the log's owner. Raises gRPC's AioRpcError."""

    def __init__(self, channel: grpc.aio.Channel, source: str) -> None:
        self._stub = LogServiceStub(channel)
        self._source = source

    async def head(self) -> Head:
        head = await self._stub.GetHead(GetHeadRequest())
        return Head(head.epoch, head.position)

    async def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        """Give the events with `after` < position <= `until`, in order."""
        call = self._stub.ReadLog(ReadLogRequest(after_position=after, until_position=until))
        try:
            async for page in call:
                for event in page.events:
                    yield from_log(self._source, page.epoch, from_proto(event))
        finally:
            call.cancel()
