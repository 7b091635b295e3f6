"""Callers' assertions as identity signs them, and linking by them."""

from dataclasses import dataclass

from careline.conversations.v1 import conversation_service_pb2 as api
from integration.conversations.rig import DEMO, Client, Process
from integration.refusals import request_id
from runtime.purpose_of_use import PurposeOfUse
from runtime.tokens.caller_assertion import CallerAssertion, CallerAssertionSigner, CallerLevel


@dataclass(frozen=True, slots=True)
class ConversationLinks:
    """Signs with the keys of a process's ground, and calls as one of its clients."""

    process: Process
    client: Client
    tenant: str = DEMO

    async def assertion(
        self,
        name: str,
        patient: str,
        level: CallerLevel = CallerLevel.VERIFIED,
        *,
        tenant: str = "",
        lifetime: float = 60,
    ) -> str:
        asserted = CallerAssertion(tenant or self.tenant, name, patient, level, PurposeOfUse.TREAT)
        return await CallerAssertionSigner(self.process.ground.keys).sign(asserted, lifetime)

    async def request(
        self, name: str, patient: str, level: CallerLevel = CallerLevel.VERIFIED
    ) -> api.LinkPatientRequest:
        return api.LinkPatientRequest(
            request_id=request_id(),
            conversation=name,
            caller_assertion=await self.assertion(name, patient, level),
        )

    async def link(
        self, name: str, patient: str, level: CallerLevel = CallerLevel.VERIFIED
    ) -> api.LinkPatientResponse:
        return await self.client.conversations.LinkPatient(await self.request(name, patient, level))
