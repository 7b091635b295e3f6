"""What callers do, a line each."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from careline.conversations.v1 import conversation_pb2 as pb
from careline.conversations.v1 import conversation_service_pb2 as api
from careline.conversations.v1 import delivery_service_pb2 as delivery_api
from integration.conversations.rig import Client, Process
from integration.refusals import request_id

PHONE = "+16175550123"
SMS, CHAT, VOICE = pb.CHANNEL_SMS, pb.CHANNEL_CHAT, pb.CHANNEL_VOICE
PATIENT, BOT, AGENT = pb.AUTHOR_KIND_PATIENT, pb.AUTHOR_KIND_BOT, pb.AUTHOR_KIND_AGENT
QUEUE = pb.Control.HOLDER_KIND_QUEUE
SENT = delivery_api.AcknowledgeDeliveryRequest.STATUS_SENT
DELIVERED = delivery_api.AcknowledgeDeliveryRequest.STATUS_DELIVERED
FAILED = delivery_api.AcknowledgeDeliveryRequest.STATUS_FAILED


async def start(
    frontend: Client, channel: "pb.Channel.ValueType" = SMS, address: str = PHONE
) -> str:
    answer = await frontend.conversations.StartConversation(
        api.StartConversationRequest(request_id=request_id(), channel=channel, address=address)
    )
    return answer.conversation.name


def message(
    name: str,
    text: str,
    kind: "pb.AuthorKind.ValueType" = PATIENT,
    channel: "pb.Channel.ValueType" = SMS,
) -> api.PostMessageRequest:
    return api.PostMessageRequest(
        request_id=request_id(), conversation=name, author_kind=kind, channel=channel, text=text
    )


async def patient_says(
    frontend: Client, name: str, text: str, channel: "pb.Channel.ValueType" = SMS
) -> api.PostMessageResponse:
    return await frontend.conversations.PostMessage(message(name, text, PATIENT, channel))


async def bot_says(
    frontend: Client, name: str, text: str, channel: "pb.Channel.ValueType" = SMS
) -> api.PostMessageResponse:
    return await frontend.conversations.PostMessage(message(name, text, BOT, channel))


async def agent_says(agent: Client, name: str, text: str) -> api.PostMessageResponse:
    return await agent.conversations.PostMessage(message(name, text, AGENT, pb.CHANNEL_UNSPECIFIED))


async def pass_to_queue(holder: Client, name: str) -> api.PassControlResponse:
    return await holder.conversations.PassControl(
        api.PassControlRequest(
            request_id=request_id(), conversation=name, to=QUEUE, reason="HANDOFF"
        )
    )


async def hand_to(process: Process, frontend: Client, agent: Client, name: str) -> None:
    """Pass control to the queue, and have the agent accept the offer."""
    await pass_to_queue(frontend, name)
    await process.accept(name, agent.name)


async def join(
    frontend: Client, name: str, channel: "pb.Channel.ValueType" = CHAT, address: str = "chat-1"
) -> api.JoinChannelResponse:
    return await frontend.conversations.JoinChannel(
        api.JoinChannelRequest(
            request_id=request_id(), conversation=name, channel=channel, address=address
        )
    )


async def wrap_up(agent: Client, name: str, notes: str = "") -> api.WrapUpResponse:
    return await agent.conversations.WrapUp(
        api.WrapUpRequest(
            request_id=request_id(), conversation=name, disposition="NO_ACTION", notes=notes
        )
    )


async def close(who: Client, name: str, reason: str = "RESOLVED") -> api.CloseConversationResponse:
    return await who.conversations.CloseConversation(
        api.CloseConversationRequest(request_id=request_id(), conversation=name, reason=reason)
    )


async def get(who: Client, name: str) -> pb.Conversation:
    answer = await who.conversations.GetConversation(api.GetConversationRequest(name=name))
    return answer.conversation


async def history(who: Client, name: str) -> list[pb.HistoryEntry]:
    """Read what there is now."""
    pages = who.conversations.WatchConversation(
        api.WatchConversationRequest(conversation=name, snapshot=True)
    )
    return [entry async for page in pages for entry in page.entries]


class WatchEnded(Exception):
    """The server ended a watch that should go on."""


class Watch:
    """A watch that goes on; `token` resumes after what was read."""

    def __init__(self, answers: AsyncIterator[api.WatchConversationResponse]) -> None:
        self._answers = answers
        self.token = ""

    async def entries(self, count: int) -> list[pb.HistoryEntry]:
        """Read on until there are so many entries more."""
        read: list[pb.HistoryEntry] = []
        async for answer in self._answers:
            self.token = answer.resume_token
            read += answer.entries
            if len(read) >= count:
                return read
        raise WatchEnded

    async def heartbeat(self) -> api.WatchConversationResponse:
        async for answer in self._answers:
            if not answer.entries:
                return answer
        raise WatchEnded


@asynccontextmanager
async def watching(who: Client, name: str, token: str = "") -> AsyncIterator[Watch]:
    call = who.conversations.WatchConversation(
        api.WatchConversationRequest(conversation=name, resume_token=token)
    )
    try:
        yield Watch(aiter(call))
    finally:
        call.cancel()


class Deliveries:
    """A watch on what a frontend is to send out."""

    def __init__(self, answers: AsyncIterator[delivery_api.WatchDeliveriesResponse]) -> None:
        self._answers = answers

    async def next(self, count: int = 1) -> list[delivery_api.Delivery]:
        read: list[delivery_api.Delivery] = []
        async for answer in self._answers:
            read += answer.deliveries
            if len(read) >= count:
                return read
        raise WatchEnded

    async def heartbeat(self) -> list[delivery_api.Delivery]:
        """Read on until nothing comes, and give what came before."""
        read: list[delivery_api.Delivery] = []
        async for answer in self._answers:
            if not answer.deliveries:
                return read
            read += answer.deliveries
        raise WatchEnded


@asynccontextmanager
async def delivering(
    frontend: Client, channels: Sequence["pb.Channel.ValueType"] = ()
) -> AsyncIterator[Deliveries]:
    call = frontend.deliveries.WatchDeliveries(
        delivery_api.WatchDeliveriesRequest(channels=channels)
    )
    try:
        yield Deliveries(aiter(call))
    finally:
        call.cancel()


def report(
    delivery: str,
    status: "delivery_api.AcknowledgeDeliveryRequest.Status.ValueType" = SENT,
    failure_code: str = "",
) -> delivery_api.AcknowledgeDeliveryRequest:
    return delivery_api.AcknowledgeDeliveryRequest(
        request_id=request_id(), delivery=delivery, status=status, failure_code=failure_code
    )


def code(
    name: str,
    *,
    channel: "pb.Channel.ValueType" = SMS,
    text: str = "482913",
    seconds: float = 60,
) -> delivery_api.EnqueueCodeRequest:
    request = delivery_api.EnqueueCodeRequest(
        request_id=request_id(),
        conversation=name,
        channel=channel,
        address=PHONE,
        one_time_code=text,
    )
    request.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return request
