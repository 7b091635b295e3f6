"""Calls that show whether a platform serves: what a frontend and an operator do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from careline.conversations.v1 import conversation_pb2
from careline.conversations.v1 import conversation_service_pb2 as conversations_pb2
from careline.patient_context.v1 import consent_service_pb2 as consent_pb2
from careline.patient_context.v1 import patient_service_pb2 as patient_pb2
from careline.patient_context.v1.consent_service_pb2_grpc import ConsentServiceStub
from grpc.aio import insecure_channel

from careline_cli.contact.accounts import frontend_token, require_accounts
from careline_cli.contact.caller import Caller, new_request, new_trace
from careline_cli.contact.frontend import Frontend
from careline_cli.contact.stubs import Stubs, connected
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.tenant import DEMO_TENANT

_SMS = conversation_pb2.CHANNEL_SMS
_ADDRESS = "+15555550100"


@dataclass(slots=True)
class ServiceCalls:
    """`prepare` before the disaster, the others after it.

    The frontend goes on with the token that it had: its secret is a row of identity, lost with a
    database, while tokens are verified by public keys alone.
    """

    data: DataDirectory
    _token: str = field(default="", repr=False)
    _conversation: str = ""

    async def prepare(self) -> None:
        """Sign a frontend in and have it begin a conversation."""
        async with self._stubs() as stubs:
            accounts = require_accounts(self.data.demo_accounts_file)
            self._token = await frontend_token(stubs, accounts).token()
            self._conversation = await self._begin(stubs)

    async def append_and_read(self) -> None:
        """Begin a conversation, and read the one from before."""
        async with self._stubs() as stubs:
            await self._begin(stubs)
            await self._frontend().call(
                stubs.conversations.GetConversation,
                conversations_pb2.GetConversationRequest(name=self._conversation),
            )

    async def record_consent(self, patient: str) -> None:
        """Have a write acknowledged that has to be replicated."""
        consent = consent_pb2.Consent(
            patient=patient, decision=consent_pb2.Consent.DECISION_PERMIT, purposes_of_use=["TREAT"]
        )
        address = self.data.addresses().services["patient_context"]
        async with insecure_channel(address) as channel:
            await self._operator().call(
                ConsentServiceStub(channel).RecordConsent,
                consent_pb2.RecordConsentRequest(request_id=new_request(), consent=consent),
            )

    async def erase(self, patient: str) -> None:
        async with self._stubs() as stubs:
            await self._operator().call(
                stubs.patients.ErasePatient,
                patient_pb2.ErasePatientRequest(
                    request_id=new_request(), patient=patient, reason="PATIENT_REQUEST"
                ),
            )

    async def _begin(self, stubs: Stubs) -> str:
        frontend = Frontend(stubs, self._frontend())
        name = await frontend.start(_SMS, _ADDRESS)
        await frontend.patient_says(name, _SMS, "Can you hear me?")
        return name

    def _frontend(self) -> Caller:
        async def token() -> str:
            return self._token

        return Caller(token, new_trace())

    def _operator(self) -> Caller:
        token = OperatorToken(self.data, self.data.addresses()).token
        return Caller(token, new_trace(), tenant=DEMO_TENANT)

    @asynccontextmanager
    async def _stubs(self) -> AsyncIterator[Stubs]:
        async with connected(self.data.addresses().services) as stubs:
            yield stubs
