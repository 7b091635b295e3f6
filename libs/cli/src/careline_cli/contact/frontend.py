"""A channel frontend: brings what the person says, and sends out what waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from careline.conversations.v1 import call_service_pb2 as call_pb2
from careline.conversations.v1 import conversation_pb2 as conversation
from careline.conversations.v1 import conversation_service_pb2 as conversations_pb2
from careline.conversations.v1 import delivery_service_pb2 as delivery_pb2
from careline.identity.v1 import caller_verification_service_pb2 as verification_pb2
from careline.routing.v1 import routing_service_pb2 as routing_pb2

from careline_cli.contact.caller import Caller, new_request
from careline_cli.contact.persona import Persona
from careline_cli.contact.stubs import Stubs

SENT = delivery_pb2.AcknowledgeDeliveryRequest.STATUS_SENT


@dataclass(slots=True)
class Frontend:
    """A frontend and the automated help behind it; `sent` holds what it has sent out."""

    stubs: Stubs
    caller: Caller
    sent: asyncio.Queue[delivery_pb2.Delivery] = field(default_factory=asyncio.Queue)
    code: str = field(default="", repr=False)

    async def start(self, channel: "conversation.Channel.ValueType", address: str) -> str:
        """Start a conversation; gives its name."""
        answer = await self.caller.call(
            self.stubs.conversations.StartConversation,
            conversations_pb2.StartConversationRequest(
                request_id=new_request(), channel=channel, address=address
            ),
        )
        return answer.conversation.name

    async def join(
        self, name: str, channel: "conversation.Channel.ValueType", address: str
    ) -> None:
        await self.caller.call(
            self.stubs.conversations.JoinChannel,
            conversations_pb2.JoinChannelRequest(
                request_id=new_request(), conversation=name, channel=channel, address=address
            ),
        )

    async def patient_says(
        self, name: str, channel: "conversation.Channel.ValueType", text: str
    ) -> None:
        await self._post(name, conversation.AUTHOR_KIND_PATIENT, channel, text)

    async def bot_says(
        self, name: str, channel: "conversation.Channel.ValueType", text: str
    ) -> None:
        """Say something as automated help and see it go out."""
        await self._post(name, conversation.AUTHOR_KIND_BOT, channel, text)
        await self.delivered(text)

    async def _post(
        self,
        name: str,
        kind: "conversation.AuthorKind.ValueType",
        channel: "conversation.Channel.ValueType",
        text: str,
    ) -> None:
        await self.caller.call(
            self.stubs.conversations.PostMessage,
            conversations_pb2.PostMessageRequest(
                request_id=new_request(),
                conversation=name,
                author_kind=kind,
                channel=channel,
                text=text,
            ),
        )

    async def delivered(self, text: str) -> delivery_pb2.Delivery:
        """Wait until a message with this text has gone out."""
        while True:
            delivery = await self.sent.get()
            if delivery.text == text:
                return delivery

    async def _sent_code(self) -> str:
        """Wait until a one-time code has gone out; the person reads it there."""
        while True:
            delivery = await self.sent.get()
            if delivery.one_time_code:
                return delivery.one_time_code

    async def verification(self, name: str, channel: str) -> verification_pb2.Verification:
        answer = await self.caller.call(
            self.stubs.verifications.StartVerification,
            verification_pb2.StartVerificationRequest(
                request_id=new_request(), conversation=name, channel=channel
            ),
        )
        return answer.verification

    async def identify(self, verification: str, persona: Persona) -> verification_pb2.Verification:
        """Submit what the person said of himself."""
        answer = await self.caller.call(
            self.stubs.verifications.SubmitIdentifiers,
            verification_pb2.SubmitIdentifiersRequest(
                request_id=new_request(),
                verification=verification,
                full_name=persona.full_name,
                birth_date=persona.birth_date,
                phone=persona.phone,
                medical_record_number=persona.medical_record_number,
            ),
        )
        return answer.verification

    async def send_code(self, verification: str) -> bool:
        """Have a code sent to the number on file; tells whether one may be sent now."""
        try:
            await self.caller.call(
                self.stubs.verifications.SendCode,
                verification_pb2.SendCodeRequest(
                    request_id=new_request(), verification=verification
                ),
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            return False
        self.code = await self._sent_code()
        return True

    async def confirm_code(self, verification: str) -> verification_pb2.Verification:
        """Give the code back that the person read."""
        answer = await self.caller.call(
            self.stubs.verifications.ConfirmCode,
            verification_pb2.ConfirmCodeRequest(
                request_id=new_request(), verification=verification, code=self.code
            ),
        )
        return answer.verification

    async def link(self, name: str, verification: str) -> str:
        """Link the conversation to whom the caller was verified as; gives the patient."""
        asserted = await self.caller.call(
            self.stubs.verifications.GetVerification,
            verification_pb2.GetVerificationRequest(verification=verification),
        )
        answer = await self.caller.call(
            self.stubs.conversations.LinkPatient,
            conversations_pb2.LinkPatientRequest(
                request_id=new_request(),
                conversation=name,
                caller_assertion=asserted.caller_assertion,
            ),
        )
        return answer.conversation.patient

    async def hand_over(self, name: str, queue: str) -> str:
        """Give up control and put the conversation into a queue; gives the contact."""
        await self.caller.call(
            self.stubs.conversations.PassControl,
            conversations_pb2.PassControlRequest(
                request_id=new_request(),
                conversation=name,
                to=conversation.Control.HOLDER_KIND_QUEUE,
                reason="HANDOFF",
            ),
        )
        answer = await self.caller.call(
            self.stubs.routing.Enqueue,
            routing_pb2.EnqueueRequest(request_id=new_request(), conversation=name, queue=queue),
        )
        return answer.contact.name

    async def call_leg(self, name: str, address: str) -> str:
        """Take a call: a leg rings and is answered; gives the leg."""
        answer = await self.caller.call(
            self.stubs.calls.StartLeg,
            call_pb2.StartLegRequest(request_id=new_request(), conversation=name, address=address),
        )
        await self.caller.call(
            self.stubs.calls.AnswerLeg,
            call_pb2.AnswerLegRequest(request_id=new_request(), conversation=name, leg=answer.leg),
        )
        return answer.leg

    async def spoken(
        self, name: str, leg: str, kind: "conversation.AuthorKind.ValueType", text: str, second: int
    ) -> None:
        """Add a line of transcript that begins at this second of the leg."""
        request = call_pb2.AppendTranscriptRequest(
            request_id=new_request(), conversation=name, leg=leg, speaker_kind=kind, text=text
        )
        request.start_offset.FromSeconds(second)
        await self.caller.call(self.stubs.calls.AppendTranscript, request)

    async def keys(self, name: str, leg: str, keys: str) -> None:
        await self.caller.call(
            self.stubs.calls.RecordKeyPress,
            call_pb2.RecordKeyPressRequest(
                request_id=new_request(), conversation=name, leg=leg, keys=keys
            ),
        )

    async def hang_up(self, name: str, leg: str) -> None:
        await self.caller.call(
            self.stubs.calls.EndLeg,
            call_pb2.EndLegRequest(
                request_id=new_request(),
                conversation=name,
                leg=leg,
                reason="CONTACT_FLOW_DISCONNECT",
            ),
        )

    async def close(self, name: str, reason: str) -> None:
        await self.caller.call(
            self.stubs.conversations.CloseConversation,
            conversations_pb2.CloseConversationRequest(
                request_id=new_request(), conversation=name, reason=reason
            ),
        )

    async def send_out(self) -> None:
        """Send out what waits, for ever."""
        async for answer in self.caller.with_purpose("TREAT").watch(
            self.stubs.deliveries.WatchDeliveries, delivery_pb2.WatchDeliveriesRequest()
        ):
            for delivery in answer.deliveries:
                await self._send(delivery)

    async def _send(self, delivery: delivery_pb2.Delivery) -> None:
        await self.caller.call(
            self.stubs.deliveries.AcknowledgeDelivery,
            delivery_pb2.AcknowledgeDeliveryRequest(
                request_id=new_request(), delivery=delivery.name, status=SENT
            ),
        )
        await self.sent.put(delivery)


@asynccontextmanager
async def sending_out(frontend: Frontend) -> AsyncIterator[Frontend]:
    """Have the frontend send out what waits while the context lasts, and fail when that fails."""
    async with asyncio.TaskGroup() as group:
        sender = group.create_task(frontend.send_out())
        yield frontend
        sender.cancel()
