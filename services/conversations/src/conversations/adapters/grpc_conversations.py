"""ConversationService over gRPC: what is written, and who may speak."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import grpc
from careline.conversations.v1 import conversation_service_pb2 as pb2
from careline.conversations.v1.conversation_pb2 import Channel as ApiChannel
from careline.conversations.v1.conversation_pb2 import Control, Conversation
from careline.conversations.v1.conversation_service_pb2_grpc import ConversationServiceServicer
from eventstore.decider import Rejected
from eventstore.event_log import EventLog
from eventstore.stream_id import StreamId
from runtime.access import Access, Resource
from runtime.field_checks import etag_of
from runtime.moment import as_of_in
from runtime.refusal import field_invalid
from runtime.request_context import calling_principal, current_request
from runtime.resource_names import uuid_resource_name

from conversations.adapters import api_words, fields
from conversations.adapters.conversation_list import ConversationList
from conversations.adapters.conversation_message import conversation_message
from conversations.adapters.history_stream import HistoryStream
from conversations.adapters.posting import posting
from conversations.application.commands import Commands, Done
from conversations.application.current_state import ConversationReader
from conversations.application.linking import Linking
from conversations.application.relations import require_access
from conversations.domain import control, lifecycle
from conversations.domain.control import PassReason
from conversations.domain.conversation import Channel, Status
from conversations.domain.lifecycle import CloseReason

Context = grpc.aio.ServicerContext[Any, Any]


class GrpcConversations(ConversationServiceServicer):
    """Validates, has it decided, and answers."""

    def __init__(
        self,
        commands: Commands,
        reader: ConversationReader,
        access: Access,
        linking: Linking,
        history: HistoryStream,
        conversations: ConversationList,
        log: EventLog,
    ) -> None:
        self._commands = commands
        self._reader = reader
        self._access = access
        self._linking = linking
        self._history = history
        self._conversations = conversations
        self._log = log

    async def StartConversation(  # noqa: N802  gRPC's name
        self, request: pb2.StartConversationRequest, _: Context
    ) -> pb2.StartConversationResponse:
        channel = self._own_channel(request.channel)
        address = fields.address(request.address, channel)
        frontend = calling_principal()
        served = [Channel(one) for one in frontend.channels if one in Channel.__members__]
        done = await self._commands.start(
            request,
            lambda state, occasion: lifecycle.start(
                state,
                channel=channel,
                frontend=frontend.name,
                served_channels=served,
                address=address,
                at=occasion.at,
            ),
        )
        return pb2.StartConversationResponse(conversation=_shown(done), position=done.position)

    async def JoinChannel(  # noqa: N802  gRPC's name
        self, request: pb2.JoinChannelRequest, _: Context
    ) -> pb2.JoinChannelResponse:
        channel = self._own_channel(request.channel)
        address = fields.address(request.address, channel)
        done = await self._commands.execute(
            _name(request.conversation),
            request,
            lambda state, occasion: lifecycle.join(
                state,
                channel=channel,
                frontend=calling_principal().name,
                address=address,
                at=occasion.at,
            ),
        )
        return pb2.JoinChannelResponse(conversation=_shown(done), position=done.position)

    async def GetConversation(  # noqa: N802  gRPC's name
        self, request: pb2.GetConversationRequest, _: Context
    ) -> pb2.GetConversationResponse:
        """Answer from the log itself, which holds every position that anybody was told."""
        name = _name(request.name, "name")
        if request.at_least < 0:
            raise field_invalid("at_least", "a position, from 0")
        as_of = await as_of_in(request.as_of, self._log)
        stream = StreamId(current_request().tenant, name)
        loaded = await self._reader.read(stream)
        require_access(self._access, name, loaded.state)
        if as_of is not None:
            loaded = await self._reader.read_at(stream, as_of)
            if loaded.state.status is Status.NEW:
                raise Rejected("DENIED_OR_ABSENT")
        return pb2.GetConversationResponse(
            conversation=conversation_message(name, loaded.state, loaded.revision)
        )

    async def ListConversations(  # noqa: N802  gRPC's name
        self, request: pb2.ListConversationsRequest, _: Context
    ) -> pb2.ListConversationsResponse:
        return await self._conversations.page(request)

    async def PostMessage(  # noqa: N802  gRPC's name
        self, request: pb2.PostMessageRequest, _: Context
    ) -> pb2.PostMessageResponse:
        done = await self._commands.execute(
            _name(request.conversation),
            request,
            posting(request, calling_principal()),
            etag=etag_of(request.etag),
        )
        return pb2.PostMessageResponse(
            message=done.occasion.name("messages"),
            etag=str(done.revision),
            position=done.position,
        )

    async def WatchConversation(  # noqa: N802  gRPC's name
        self, request: pb2.WatchConversationRequest, _: Context
    ) -> AsyncGenerator[pb2.WatchConversationResponse, None]:
        name = _name(request.conversation)
        as_of = await as_of_in(request.as_of, self._log)
        pages = self._history.pages(
            name, request.resume_token, snapshot=request.snapshot, as_of=as_of
        )
        async with aclosing(pages):
            async for page in pages:
                yield page

    async def LinkPatient(  # noqa: N802  gRPC's name
        self, request: pb2.LinkPatientRequest, _: Context
    ) -> pb2.LinkPatientResponse:
        name = _name(request.conversation)
        done = await self._linking.link(name, request, request.caller_assertion)
        return pb2.LinkPatientResponse(conversation=_shown(done), position=done.position)

    async def PassControl(  # noqa: N802  gRPC's name
        self, request: pb2.PassControlRequest, _: Context
    ) -> pb2.PassControlResponse:
        name = _name(request.conversation)
        if request.to != Control.HOLDER_KIND_QUEUE:
            raise field_invalid("to", "QUEUE; agents get control by accepting routing's offer")
        reason = fields.one_of(PassReason, request.reason, "reason")
        done = await self._commands.execute(
            name,
            request,
            lambda state, occasion: control.pass_to_queue(
                state, by=calling_principal().name, reason=reason, at=occasion.at
            ),
        )
        return pb2.PassControlResponse(conversation=_shown(done), position=done.position)

    async def WrapUp(  # noqa: N802  gRPC's name
        self, request: pb2.WrapUpRequest, _: Context
    ) -> pb2.WrapUpResponse:
        name = _name(request.conversation)
        notes = fields.text(request.notes, "notes", optional=True)
        done = await self._commands.execute(
            name,
            request,
            lambda state, occasion: lifecycle.wrap_up(
                state,
                disposition=request.disposition,
                notes=notes,
                agent=calling_principal().name,
                at=occasion.at,
            ),
        )
        return pb2.WrapUpResponse(conversation=_shown(done), position=done.position)

    async def CloseConversation(  # noqa: N802  gRPC's name
        self, request: pb2.CloseConversationRequest, _: Context
    ) -> pb2.CloseConversationResponse:
        name = _name(request.conversation)
        reason = fields.one_of(CloseReason, request.reason, "reason")
        done = await self._commands.execute(
            name,
            request,
            lambda state, occasion: lifecycle.close(
                state, by=calling_principal().name, reason=reason, at=occasion.at
            ),
        )
        return pb2.CloseConversationResponse(conversation=_shown(done), position=done.position)

    def _own_channel(self, value: "ApiChannel.ValueType") -> Channel:
        """Take a channel that policies let the calling frontend serve."""
        channel = api_words.channel(value)
        self._access.require(
            current_request().action, Resource("Channel", channel, {"name": channel})
        )
        return channel


def _name(value: str, field: str = "conversation") -> str:
    return uuid_resource_name(value, "conversations", field)


def _shown(done: Done) -> Conversation:
    return conversation_message(done.name, done.state, done.revision)
