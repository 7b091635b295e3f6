"""CallerVerificationService over gRPC."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import grpc
from careline.identity.v1 import caller_verification_service_pb2 as pb2
from careline.identity.v1.caller_verification_service_pb2_grpc import (
    CallerVerificationServiceServicer,
)
from runtime.access import Access, Resource
from runtime.field_checks import word_of
from runtime.idempotency import Requests
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import field_invalid
from runtime.request_context import current_request
from runtime.resource_names import uuid_resource_name

from identity.adapters.fields import require_no_longer
from identity.application.codes import DIGITS, Codes
from identity.application.identifying import Identifying
from identity.application.verifications import Reached, Verifications, verification_of
from identity.domain.matching import Identifiers
from identity.domain.service_account import CHANNELS
from identity.domain.verification import Level, Status, VerificationPolicy
from identity.domain.verifying import remaining_tries

Context = grpc.aio.ServicerContext[Any, Any]
_LONGEST_IDENTIFIER: Final = 200
_UNSTATED_PURPOSE: Final = PurposeOfUse.PATRQT
"""A caller who is verified asks about himself."""
_STATES: Final = {
    Status.ABSENT: pb2.Verification.STATE_UNSPECIFIED,
    Status.IDENTIFYING: pb2.Verification.STATE_IDENTIFYING,
    Status.MATCHED: pb2.Verification.STATE_MATCHED,
    Status.CODE_SENT: pb2.Verification.STATE_CODE_SENT,
    Status.VERIFIED: pb2.Verification.STATE_VERIFIED,
    Status.EXHAUSTED: pb2.Verification.STATE_EXHAUSTED,
}
_LEVELS: Final = {
    Level.ANONYMOUS: pb2.CALLER_LEVEL_ANONYMOUS,
    Level.MATCHED: pb2.CALLER_LEVEL_MATCHED,
    Level.VERIFIED: pb2.CALLER_LEVEL_VERIFIED,
}


class GrpcCallerVerification(CallerVerificationServiceServicer):
    """Verification of callers, step by step, for the frontend that has them on the line."""

    def __init__(
        self,
        verifications: Verifications,
        identifying: Identifying,
        codes: Codes,
        requests: Requests,
        access: Access,
        *,
        policy: VerificationPolicy,
        now: Callable[[], datetime],
    ) -> None:
        self._verifications = verifications
        self._identifying = identifying
        self._codes = codes
        self._requests = requests
        self._access = access
        self._policy = policy
        self._now = now

    async def StartVerification(  # noqa: N802  gRPC's name
        self, request: pb2.StartVerificationRequest, _: Context
    ) -> pb2.StartVerificationResponse:
        channel = word_of(request.channel, CHANNELS, "channel")
        conversation = uuid_resource_name(request.conversation, "conversations", "conversation")
        self._access.require(
            "identity.startVerification", Resource("Conversation", conversation), channel=channel
        )
        reached = await self._verifications.start(
            conversation,
            channel,
            current_request().purpose or _UNSTATED_PURPOSE,
            await self._requests.request_of(request),
        )
        return pb2.StartVerificationResponse(
            verification=self._message(reached), position=reached.position
        )

    async def SubmitIdentifiers(  # noqa: N802  gRPC's name
        self, request: pb2.SubmitIdentifiersRequest, _: Context
    ) -> pb2.SubmitIdentifiersResponse:
        name = uuid_resource_name(request.verification, "verifications", "verification")
        said = {
            "full_name": request.full_name,
            "birth_date": request.birth_date,
            "postal_code": request.postal_code,
            "street_line": request.street_line,
            "phone": request.phone,
            "medical_record_number": request.medical_record_number,
        }
        require_no_longer(said, _LONGEST_IDENTIFIER)
        reached = await self._identifying.submit(
            name, Identifiers(**said), await self._requests.request_of(request)
        )
        return pb2.SubmitIdentifiersResponse(
            verification=self._message(reached), position=reached.position
        )

    async def SendCode(  # noqa: N802  gRPC's name
        self, request: pb2.SendCodeRequest, _: Context
    ) -> pb2.SendCodeResponse:
        name = uuid_resource_name(request.verification, "verifications", "verification")
        sent = await self._codes.send(name, await self._requests.request_of(request))
        response = pb2.SendCodeResponse(
            verification=self._message(sent.reached), position=sent.reached.position
        )
        response.code_expire_time.FromDatetime(sent.expires)
        return response

    async def ConfirmCode(  # noqa: N802  gRPC's name
        self, request: pb2.ConfirmCodeRequest, _: Context
    ) -> pb2.ConfirmCodeResponse:
        name = uuid_resource_name(request.verification, "verifications", "verification")
        if len(request.code) != DIGITS or not request.code.isascii() or not request.code.isdigit():
            raise field_invalid("code", "six digits")
        reached = await self._codes.confirm(
            name, request.code, await self._requests.request_of(request)
        )
        return pb2.ConfirmCodeResponse(
            verification=self._message(reached), position=reached.position
        )

    async def GetVerification(  # noqa: N802  gRPC's name
        self, request: pb2.GetVerificationRequest, _: Context
    ) -> pb2.GetVerificationResponse:
        asserted = await self._verifications.get(_asked_for(request))
        response = pb2.GetVerificationResponse(
            verification=self._message(asserted.reached, asserted.level),
            caller_assertion=asserted.assertion,
        )
        if asserted.expires is not None:
            response.assertion_expire_time.FromDatetime(asserted.expires)
        return response

    def _message(self, reached: Reached, level: Level | None = None) -> pb2.Verification:
        now, state = self._now(), reached.state
        message = pb2.Verification(
            name=reached.name,
            conversation=state.conversation,
            state=_STATES[state.status],
            level=_LEVELS[state.level_at(now) if level is None else level],
            remaining_tries=remaining_tries(state, now, self._policy),
        )
        if message.level != pb2.CALLER_LEVEL_ANONYMOUS:
            message.expire_time.FromDatetime(state.level_expires)
        return message


def _asked_for(request: pb2.GetVerificationRequest) -> str:
    if request.verification:
        return uuid_resource_name(request.verification, "verifications", "verification")
    return verification_of(
        uuid_resource_name(request.conversation, "conversations", "conversation")
    )
