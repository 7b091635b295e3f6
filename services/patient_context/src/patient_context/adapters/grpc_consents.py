"""ConsentService over gRPC."""

from datetime import UTC, datetime
from typing import Any, Final

import grpc
from careline.patient_context.v1 import consent_service_pb2 as pb2
from careline.patient_context.v1.consent_service_pb2_grpc import ConsentServiceServicer
from runtime.field_checks import moment_of
from runtime.idempotency import Requests
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import field_invalid
from runtime.resource_names import resource_name

from patient_context.adapters.fhir.resource_types import RESOURCE_TYPES
from patient_context.application.consents import Consents
from patient_context.domain.consent import Consent, Decision
from patient_context.domain.moment import stamp

Context = grpc.aio.ServicerContext[Any, Any]
MOST_TYPES: Final = 50
_DECISIONS: Final = {
    pb2.Consent.DECISION_PERMIT: Decision.PERMIT,
    pb2.Consent.DECISION_DENY: Decision.DENY,
}


class GrpcConsents(ConsentServiceServicer):
    """Records and takes back decisions of the tenant's patients."""

    def __init__(self, consents: Consents, requests: Requests) -> None:
        self._consents = consents
        self._requests = requests

    async def RecordConsent(  # noqa: N802 - gRPC's name
        self, request: pb2.RecordConsentRequest, _: Context
    ) -> pb2.RecordConsentResponse:
        asked = request.consent
        patient = resource_name(asked.patient, "patients", "consent.patient")
        consent = _consent(asked)
        known = await self._requests.request_of(request)
        # The name comes from the request, so that the same request finds the same decision.
        recorded = await self._consents.record(patient, f"consents/{known.ids(0)}", consent, known)
        answer = pb2.Consent()
        answer.CopyFrom(asked)
        answer.name = recorded.name
        answer.start_time.CopyFrom(stamp(recorded.start))
        return pb2.RecordConsentResponse(consent=answer, position=recorded.position)

    async def RevokeConsent(  # noqa: N802 - gRPC's name
        self, request: pb2.RevokeConsentRequest, _: Context
    ) -> pb2.RevokeConsentResponse:
        patient = resource_name(request.patient, "patients", "patient")
        consent = resource_name(request.consent, "consents", "consent")
        known = await self._requests.request_of(request)
        return pb2.RevokeConsentResponse(
            position=await self._consents.revoke(patient, consent, known)
        )


def _consent(asked: pb2.Consent) -> Consent:
    """Read a decision; raises FieldsInvalid."""
    decision = _DECISIONS.get(asked.decision)
    if decision is None:
        raise field_invalid("consent.decision", "PERMIT or DENY")
    if asked.name:
        raise field_invalid("consent.name", "nothing: the service gives it")
    if not set(asked.purposes_of_use) <= set(PurposeOfUse.__members__):
        raise field_invalid("consent.purposes_of_use", "codes as TREAT, HPAYMT, HOPERAT")
    types = set(asked.resource_types)
    if not types <= RESOURCE_TYPES or len(types) > MOST_TYPES:
        raise field_invalid(
            "consent.resource_types", f"at most {MOST_TYPES} types of FHIR R4, as Condition"
        )
    start = (
        moment_of(asked.start_time, "consent.start_time") if asked.HasField("start_time") else None
    )
    end = moment_of(asked.end_time, "consent.end_time") if asked.HasField("end_time") else None
    if end is not None and end <= (start or datetime.now(UTC)):
        raise field_invalid("consent.end_time", "a time after the start")
    return Consent(decision, frozenset(asked.purposes_of_use), frozenset(types), start, end)
