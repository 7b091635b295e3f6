"""An agent's client: signs in, takes an offer, sees the screen pop, answers, wraps up."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import grpc
from careline.conversations.v1 import conversation_pb2 as conversation
from careline.conversations.v1 import conversation_service_pb2 as conversations_pb2
from careline.identity.v1 import caller_verification_service_pb2 as verification_pb2
from careline.patient_context.v1 import patient_service_pb2 as patient_pb2
from careline.routing.v1 import agent_desk_service_pb2 as desk_pb2
from careline.routing.v1.routing_service_pb2 import Contact

from careline_cli.contact.caller import Caller, new_request
from careline_cli.contact.stubs import Stubs

CONTROL_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent at the desk; `name` is "agents/{id}"."""

    stubs: Stubs
    caller: Caller
    name: str

    async def finish_open_work(self) -> None:
        """Be done with a contact that an earlier client of the agent's left open."""
        async for answer in self.caller.watch(
            self.stubs.desk.WatchOffers, desk_pb2.WatchOffersRequest()
        ):
            if answer.offer.contact.state == Contact.STATE_ASSIGNED:
                await self._complete(answer.offer.contact.name)
            return

    async def go_available(self, queue: str) -> None:
        await self._set_availability(desk_pb2.AVAILABILITY_AVAILABLE, [queue])

    async def go_offline(self) -> None:
        await self._set_availability(desk_pb2.AVAILABILITY_OFFLINE, [])

    async def _set_availability(
        self, availability: "desk_pb2.Availability.ValueType", queues: list[str]
    ) -> None:
        await self.caller.call(
            self.stubs.desk.SetAvailability,
            desk_pb2.SetAvailabilityRequest(
                request_id=new_request(), availability=availability, queues=queues
            ),
        )

    async def accept(self, contact: str) -> None:
        """Wait for the offer of this contact and take it; what waits longer is taken before it."""
        async for answer in self.caller.watch(
            self.stubs.desk.WatchOffers, desk_pb2.WatchOffersRequest()
        ):
            offer = answer.offer
            if not offer.name or offer.withdrawn:
                continue
            await self.caller.call(
                self.stubs.desk.AcceptOffer,
                desk_pb2.AcceptOfferRequest(request_id=new_request(), offer=offer.name),
            )
            if offer.contact.name == contact:
                return
            await self._complete(offer.contact.name)

    async def gets_control(self, name: str) -> None:
        """Wait until the conversation is the agent's to speak in.

        Control follows the accepted offer by an event; until it is there, the conversation is
        denied as if it were absent.
        """
        watching = self.caller.with_purpose("TREAT")
        request = conversations_pb2.WatchConversationRequest(conversation=name)
        deadline = time.monotonic() + CONTROL_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async for answer in watching.watch(
                    self.stubs.conversations.WatchConversation, request
                ):
                    if any(self._is_given_control(entry) for entry in answer.entries):
                        return
            except grpc.aio.AioRpcError as error:
                denied = error.code() is grpc.StatusCode.PERMISSION_DENIED
                if not denied or time.monotonic() > deadline:
                    raise

    def _is_given_control(self, entry: conversation.HistoryEntry) -> bool:
        return entry.event == "ControlPassed" and entry.subject == self.name

    async def screen_pop(self, name: str, patient: str) -> patient_pb2.GetPatientContextResponse:
        """See what the verified caller's matter allows to see of the patient."""
        verified = await self.caller.call(
            self.stubs.verifications.GetVerification,
            verification_pb2.GetVerificationRequest(conversation=name),
        )
        return await self.caller.with_purpose("TREAT", verified.caller_assertion).call(
            self.stubs.patients.GetPatientContext,
            patient_pb2.GetPatientContextRequest(patient=patient, conversation=name),
        )

    async def says(self, name: str, text: str) -> None:
        """Answer by the channel that the person last used."""
        await self.caller.call(
            self.stubs.conversations.PostMessage,
            conversations_pb2.PostMessageRequest(
                request_id=new_request(),
                conversation=name,
                author_kind=conversation.AUTHOR_KIND_AGENT,
                text=text,
            ),
        )

    async def wrap_up(self, name: str, contact: str, disposition: str, notes: str) -> None:
        await self.caller.call(
            self.stubs.conversations.WrapUp,
            conversations_pb2.WrapUpRequest(
                request_id=new_request(), conversation=name, disposition=disposition, notes=notes
            ),
        )
        await self.caller.call(
            self.stubs.conversations.CloseConversation,
            conversations_pb2.CloseConversationRequest(
                request_id=new_request(), conversation=name, reason="RESOLVED"
            ),
        )
        await self._complete(contact)

    async def _complete(self, contact: str) -> None:
        await self.caller.call(
            self.stubs.desk.CompleteWork,
            desk_pb2.CompleteWorkRequest(request_id=new_request(), contact=contact),
        )
