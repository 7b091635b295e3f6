"""QueueService over gRPC."""

from datetime import timedelta
from typing import Any, Final

import grpc
from careline.routing.v1 import queue_service_pb2 as pb2
from careline.routing.v1.queue_service_pb2_grpc import QueueServiceServicer
from runtime.field_checks import duration_of
from runtime.idempotency import Requests
from runtime.paging import page_size, page_token, place_of
from runtime.refusal import field_invalid
from runtime.resource_names import resource_name

from routing.application.contacts import Contacts
from routing.domain.queue import (
    DEFAULT_OFFER_TIMEOUT,
    LONGEST_OFFER_TIMEOUT,
    SHORTEST_OFFER_TIMEOUT,
    Queue,
)

Context = grpc.aio.ServicerContext[Any, Any]
USUAL_PAGE: Final = 50
LARGEST_PAGE: Final = 200
LONGEST_DISPLAY_NAME: Final = 100


class GrpcQueues(QueueServiceServicer):
    """Creates and lists the tenant's queues."""

    def __init__(self, contacts: Contacts, requests: Requests) -> None:
        self._contacts = contacts
        self._requests = requests

    async def CreateQueue(  # noqa: N802 - gRPC's name
        self, request: pb2.CreateQueueRequest, _: Context
    ) -> pb2.CreateQueueResponse:
        name = resource_name(request.queue.name, "queues", "queue.name")
        display_name = request.queue.display_name.strip()
        if not 1 <= len(display_name) <= LONGEST_DISPLAY_NAME:
            raise field_invalid("queue.display_name", "1 to 100 characters")
        timeout = _offer_timeout(request.queue)
        known = await self._requests.request_of(request)
        done = await self._contacts.create_queue(name, display_name, timeout, known)
        return pb2.CreateQueueResponse(queue=_queue(name, done.state, 0), position=done.position)

    async def ListQueues(  # noqa: N802 - gRPC's name
        self, request: pb2.ListQueuesRequest, _: Context
    ) -> pb2.ListQueuesResponse:
        size = page_size(request.page_size, usual=USUAL_PAGE, largest=LARGEST_PAGE)
        place = place_of(request, request.page_token, 1)
        board = await self._contacts.newest_board()
        names = sorted(name for name in board.queues if place is None or name > place[0])
        page = names[:size]
        return pb2.ListQueuesResponse(
            queues=[_queue(name, board.queues[name], len(board.waiting(name))) for name in page],
            next_page_token=page_token(request, [page[-1]]) if len(names) > size else "",
        )


def _offer_timeout(queue: pb2.Queue) -> timedelta:
    if not queue.HasField("offer_timeout"):
        return DEFAULT_OFFER_TIMEOUT
    return duration_of(
        queue.offer_timeout,
        "queue.offer_timeout",
        shortest=SHORTEST_OFFER_TIMEOUT,
        longest=LONGEST_OFFER_TIMEOUT,
        expected="5 s to 120 s",
    )


def _queue(name: str, queue: Queue, waiting: int) -> pb2.Queue:
    message = pb2.Queue(name=name, display_name=queue.display_name, waiting=waiting)
    message.offer_timeout.FromTimedelta(queue.offer_timeout)
    return message
