"""An agent's client: signs in, takes an offer, sees the screen pop, answers, wraps up."""

from dataclasses import dataclass

from careline.conversations.v1 import conversation_pb2 as conversation
from careline.conversations.v1 import conversation_service_pb2 as conversations_pb2
from careline.identity.v1 import caller_verification_service_pb2 as verification_pb2
from careline.patient_context.v1 import patient_service_pb2 as patient_pb2
from careline.routing.v1 import agent_desk_service_pb2 as desk_pb2

from careline_cli.contact.caller import Caller, new_request
from careline_cli.contact.stubs import Stubs


class ContactLost(Exception):
    """A stream ended before what the contact waits for came."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent at the desk; `name` is "agents/{id}"."""

    stubs: Stubs
    caller: Caller
    name: str

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
        """Wait for the offer of this contact and take it."""
        async for answer in self.caller.watch(
            self.stubs.desk.WatchOffers, desk_pb2.WatchOffersRequest()
        ):
            offer = answer.offer
            if offer.contact.name == contact and not offer.withdrawn:
                await self.caller.call(
                    self.stubs.desk.AcceptOffer,
                    desk_pb2.AcceptOfferRequest(request_id=new_request(), offer=offer.name),
                )
                return
        raise ContactLost("the stream of offers ended; is routing well? see: careline status")

    async def gets_control(self, name: str) -> None:
        """Wait until the conversation is the agent's to speak in."""
        async for answer in self.caller.with_purpose("TREAT").watch(
            self.stubs.conversations.WatchConversation,
            conversations_pb2.WatchConversationRequest(conversation=name),
        ):
            for entry in answer.entries:
                if entry.event == "ControlPassed" and entry.subject == self.name:
                    return
        raise ContactLost("the conversation's stream ended; see: careline status")

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
        await self.caller.call(
            self.stubs.desk.CompleteWork,
            desk_pb2.CompleteWorkRequest(request_id=new_request(), contact=contact),
        )
