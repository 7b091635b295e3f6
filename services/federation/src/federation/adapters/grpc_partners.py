"""PartnerService over gRPC."""

import re
from datetime import timedelta
from typing import Any, Final

import grpc
from careline.federation.v1 import partner_service_pb2 as pb2
from careline.federation.v1.partner_service_pb2_grpc import PartnerServiceServicer
from messaging.partner_account import DURABLE, PartnerStream
from runtime.field_checks import duration_of, word_of
from runtime.idempotency import Requests
from runtime.refusal import FieldsInvalid, FieldViolation, field_invalid
from runtime.resource_names import resource_name

from federation.application.clear_part import forwardable_types
from federation.application.contracts import Contracts, Reached, Terms

Context = grpc.aio.ServicerContext[Any, Any]
USUAL_LIFETIME: Final = timedelta(hours=24)
LONGEST_LIFETIME: Final = timedelta(days=30)
SHORTEST_LIFETIME: Final = timedelta(minutes=1)
LONGEST_DISPLAY_NAME: Final = 100
MOST_EVENT_TYPES: Final = 100
SUSPEND_REASONS: Final = frozenset({"CONTRACT_ENDED", "INCIDENT", "OTHER"})
_PARTNER_KEY: Final = re.compile(r"[a-z][a-z0-9]{1,15}")
_USER: Final = re.compile(r"U[A-Z2-7]{55}")


class GrpcPartners(PartnerServiceServicer):
    """Makes, shows and ends the tenant's contracts, and issues and revokes credentials."""

    def __init__(self, contracts: Contracts, requests: Requests) -> None:
        self._contracts = contracts
        self._requests = requests

    async def CreateContract(  # noqa: N802 - gRPC's name
        self, request: pb2.CreateContractRequest, _: Context
    ) -> pb2.CreateContractResponse:
        terms = _terms(request.contract)
        known = await self._requests.request_of(request)
        # The partner's id comes from the request, so that the same request finds the same partner.
        reached = await self._contracts.create(f"partners/{known.ids(0)}", terms, known)
        return pb2.CreateContractResponse(contract=_contract(reached), position=reached.position)

    async def GetContract(  # noqa: N802 - gRPC's name
        self, request: pb2.GetContractRequest, _: Context
    ) -> pb2.GetContractResponse:
        name = resource_name(request.name, "partners", "name")
        return pb2.GetContractResponse(contract=_contract(await self._contracts.contract(name)))

    async def IssueCredentials(  # noqa: N802 - gRPC's name
        self, request: pb2.IssueCredentialsRequest, _: Context
    ) -> pb2.IssueCredentialsResponse:
        name = resource_name(request.partner, "partners", "partner")
        lifetime = _lifetime(request)
        known = await self._requests.request_of(request)
        issued = await self._contracts.issue(name, lifetime, known)
        answer = pb2.IssueCredentialsResponse(
            credentials=issued.credentials.text, user=issued.credentials.public
        )
        answer.expire_time.FromDatetime(issued.expires)
        return answer

    async def RevokeCredentials(  # noqa: N802 - gRPC's name
        self, request: pb2.RevokeCredentialsRequest, _: Context
    ) -> pb2.RevokeCredentialsResponse:
        name = resource_name(request.partner, "partners", "partner")
        if not _USER.fullmatch(request.user):
            raise field_invalid("user", "the public key of a user, as IssueCredentials gave it")
        known = await self._requests.request_of(request)
        reached = await self._contracts.revoke(name, request.user, known)
        return pb2.RevokeCredentialsResponse(position=reached.position)

    async def SuspendPartner(  # noqa: N802 - gRPC's name
        self, request: pb2.SuspendPartnerRequest, _: Context
    ) -> pb2.SuspendPartnerResponse:
        name = resource_name(request.partner, "partners", "partner")
        reason = word_of(request.reason, SUSPEND_REASONS, "reason")
        known = await self._requests.request_of(request)
        reached = await self._contracts.suspend(name, reason, known)
        return pb2.SuspendPartnerResponse(contract=_contract(reached), position=reached.position)


def _terms(contract: pb2.Contract) -> Terms:
    display_name = contract.display_name.strip()
    violations = []
    if not _PARTNER_KEY.fullmatch(contract.partner_key):
        expected = "2 to 16 of a-z and 0-9, a letter first"
        violations.append(FieldViolation("contract.partner_key", expected))
    if not 1 <= len(display_name) <= LONGEST_DISPLAY_NAME:
        violations.append(FieldViolation("contract.display_name", "1 to 100 characters"))
    violations += _event_type_violations(list(contract.event_types))
    if violations:
        raise FieldsInvalid(*violations)
    return Terms(contract.partner_key, display_name, frozenset(contract.event_types))


def _event_type_violations(types: list[str]) -> list[FieldViolation]:
    if not 1 <= len(types) <= MOST_EVENT_TYPES or len(set(types)) < len(types):
        expected = f"1 to {MOST_EVENT_TYPES} types of events, each once"
        return [FieldViolation("contract.event_types", expected)]
    known = forwardable_types()
    return [
        FieldViolation(
            f"contract.event_types[{index}]",
            "the full name of an event of careline.conversations.events.v1 that has a clear part",
        )
        for index, name in enumerate(types)
        if name not in known
    ]


def _lifetime(request: pb2.IssueCredentialsRequest) -> timedelta:
    if not request.HasField("lifetime"):
        return USUAL_LIFETIME
    return duration_of(
        request.lifetime,
        "lifetime",
        shortest=SHORTEST_LIFETIME,
        longest=LONGEST_LIFETIME,
        expected="1 minute to 30 days",
    )


def _contract(reached: Reached) -> pb2.Contract:
    state = reached.contract
    message = pb2.Contract(
        name=reached.name,
        partner_key=state.partner_key,
        display_name=state.display_name,
        event_types=sorted(state.event_types),
        state=pb2.Contract.STATE_SUSPENDED if state.suspended else pb2.Contract.STATE_ACTIVE,
        stream=PartnerStream(state.partner_key).stream,
        consumer=DURABLE,
        etag=str(reached.revision),
    )
    if state.created is not None:
        message.create_time.FromDatetime(state.created)
    return message
