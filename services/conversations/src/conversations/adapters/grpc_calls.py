"""CallService over gRPC: legs, keys and lines, each verb naming its leg."""

from typing import Any

import grpc
from careline.conversations.v1 import call_service_pb2 as pb2
from careline.conversations.v1.call_service_pb2_grpc import CallServiceServicer
from runtime.request_context import calling_principal
from runtime.resource_names import uuid_resource_name

from conversations.adapters import api_words, fields
from conversations.application.commands import Command, Commands, Done
from conversations.domain import call_leg
from conversations.domain.call_leg import EndReason
from conversations.domain.conversation import Channel

Context = grpc.aio.ServicerContext[Any, Any]


class GrpcCalls(CallServiceServicer):
    """Validates, has it decided, and answers."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def StartLeg(  # noqa: N802  gRPC's name
        self, request: pb2.StartLegRequest, _: Context
    ) -> pb2.StartLegResponse:
        address = fields.address(request.address, Channel.VOICE)
        done = await self._execute(
            request,
            lambda state, occasion: call_leg.start(
                state,
                leg=occasion.name("legs"),
                frontend=calling_principal().name,
                address=address,
                outbound=request.outbound,
                at=occasion.at,
            ),
        )
        return pb2.StartLegResponse(leg=done.occasion.name("legs"), position=done.position)

    async def AnswerLeg(  # noqa: N802  gRPC's name
        self, request: pb2.AnswerLegRequest, _: Context
    ) -> pb2.AnswerLegResponse:
        leg = _leg(request.leg)
        done = await self._execute(
            request,
            lambda state, occasion: call_leg.answer(
                state, leg=leg, frontend=calling_principal().name, at=occasion.at
            ),
        )
        return pb2.AnswerLegResponse(position=done.position)

    async def RecordKeyPress(  # noqa: N802  gRPC's name
        self, request: pb2.RecordKeyPressRequest, _: Context
    ) -> pb2.RecordKeyPressResponse:
        leg, keys = _leg(request.leg), fields.keys(request.keys)
        done = await self._execute(
            request,
            lambda state, occasion: call_leg.record_keys(
                state, leg=leg, frontend=calling_principal().name, keys=keys, at=occasion.at
            ),
        )
        return pb2.RecordKeyPressResponse(position=done.position)

    async def AppendTranscript(  # noqa: N802  gRPC's name
        self, request: pb2.AppendTranscriptRequest, _: Context
    ) -> pb2.AppendTranscriptResponse:
        leg, text = _leg(request.leg), fields.text(request.text, "text")
        speaker = api_words.author_kind(request.speaker_kind, "speaker_kind")
        offset = fields.start_offset(request.start_offset)
        done = await self._execute(
            request,
            lambda state, occasion: call_leg.append_line(
                state,
                leg=leg,
                message=occasion.name("messages"),
                by=calling_principal().name,
                speaker=speaker,
                text=text,
                start_offset=offset,
                at=occasion.at,
            ),
        )
        return pb2.AppendTranscriptResponse(
            message=done.occasion.name("messages"), position=done.position
        )

    async def EndLeg(  # noqa: N802  gRPC's name
        self, request: pb2.EndLegRequest, _: Context
    ) -> pb2.EndLegResponse:
        leg = _leg(request.leg)
        reason = fields.one_of(EndReason, request.reason, "reason")
        done = await self._execute(
            request,
            lambda state, occasion: call_leg.end(
                state, leg=leg, frontend=calling_principal().name, reason=reason, at=occasion.at
            ),
        )
        return pb2.EndLegResponse(position=done.position)

    async def _execute(self, request: "_Request", command: Command) -> Done:
        name = uuid_resource_name(request.conversation, "conversations", "conversation")
        return await self._commands.execute(name, request, command)


_Request = (
    pb2.StartLegRequest
    | pb2.AnswerLegRequest
    | pb2.RecordKeyPressRequest
    | pb2.AppendTranscriptRequest
    | pb2.EndLegRequest
)


def _leg(value: str) -> str:
    return uuid_resource_name(value, "legs", "leg")
