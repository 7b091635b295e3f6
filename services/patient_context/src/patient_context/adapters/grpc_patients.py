"""PatientService over gRPC."""

from typing import Any, Final

import grpc
from careline.patient_context.v1 import patient_service_pb2 as pb2
from careline.patient_context.v1.patient_service_pb2_grpc import PatientServiceServicer
from runtime.access import Access
from runtime.field_checks import word_of
from runtime.idempotency import Requests
from runtime.paging import page_size, page_token, place_of
from runtime.refusal import Refused, field_invalid
from runtime.request_context import current_request
from runtime.resource_names import resource_name
from runtime.tokens.caller_assertion import CallerAssertionVerifier

from patient_context.adapters.messages import candidate, screen_pop
from patient_context.adapters.wanted import Index, wanted
from patient_context.application.erasures import Erasures
from patient_context.application.screen_pop import ScreenPops, Shown
from patient_context.application.search import Search
from patient_context.domain.disclosure import Level
from patient_context.domain.moment import stamp
from patient_context.domain.patient import ERASURE_REASONS

Context = grpc.aio.ServicerContext[Any, Any]
USUAL_PAGE: Final = 10
LARGEST_PAGE: Final = 25
BY_NAME_ALONE: Final = "patientContext.findPatientsByNameAlone"
REGISTRATION: Final = "patientContext.seeRegistration"


class GrpcPatients(PatientServiceServicer):
    """Finds, shows and erases the tenant's patients."""

    def __init__(
        self,
        search: Search,
        index: Index,
        screen_pops: ScreenPops,
        erasures: Erasures,
        access: Access,
        assertions: CallerAssertionVerifier,
        requests: Requests,
    ) -> None:
        self._search = search
        self._index = index
        self._screen_pops = screen_pops
        self._erasures = erasures
        self._access = access
        self._assertions = assertions
        self._requests = requests

    async def FindPatients(  # noqa: N802 - gRPC's name
        self, request: pb2.FindPatientsRequest, _: Context
    ) -> pb2.FindPatientsResponse:
        size = page_size(request.page_size, usual=USUAL_PAGE, largest=LARGEST_PAGE)
        place = place_of(request, request.page_token, 1)
        asked = wanted(request)
        by_name_alone = self._access.decide(BY_NAME_ALONE).allowed
        if asked.is_too_broad(by_name_alone=by_name_alone):
            raise Refused("SEARCH_TOO_BROAD")
        tokens = asked.tokens(await self._index.of(current_request().tenant))
        page = await self._search.find(
            tokens, asked.fits, after=place[0] if place else "", size=size
        )
        return pb2.FindPatientsResponse(
            patients=[candidate(one.name, one.demographics) for one in page.patients],
            next_page_token="" if page.last is None else page_token(request, [page.last]),
        )

    async def GetPatientContext(  # noqa: N802 - gRPC's name
        self, request: pb2.GetPatientContextRequest, _: Context
    ) -> pb2.GetPatientContextResponse:
        patient = resource_name(request.patient, "patients", "patient")
        if self._access.decide(REGISTRATION).allowed:
            if request.conversation:
                raise field_invalid("conversation", "nothing: registration is outside any contact")
            return _answer(await self._screen_pops.to_registration(patient), "")
        conversation = resource_name(request.conversation, "conversations", "conversation")
        level = await self._caller_level(patient, conversation)
        shown = await self._screen_pops.to_agent(patient, conversation, level)
        return _answer(shown, shown.level.name)

    async def ErasePatient(  # noqa: N802 - gRPC's name
        self, request: pb2.ErasePatientRequest, _: Context
    ) -> pb2.ErasePatientResponse:
        patient = resource_name(request.patient, "patients", "patient")
        reason = word_of(request.reason, ERASURE_REASONS, "reason")
        erased = await self._erasures.erase(
            patient,
            reason,
            await self._requests.request_of(request),
            await self._requests.request_of(request, part="confirmation"),
        )
        return pb2.ErasePatientResponse(
            erase_time=stamp(erased.at), subjects=erased.subjects, position=erased.position
        )

    async def _caller_level(self, patient: str, conversation: str) -> Level:
        """Give the level that identity vouches for; a caller of whom it says nothing has none."""
        context = current_request()
        if not context.caller_assertion:
            return Level.ANONYMOUS
        assertion = await self._assertions.verify(
            context.caller_assertion,
            tenant=context.tenant,
            conversation=conversation,
            patient=patient,
        )
        return Level(assertion.level)


def _answer(shown: Shown, caller_level: str) -> pb2.GetPatientContextResponse:
    return pb2.GetPatientContextResponse(
        patient_context=screen_pop(shown),
        caller_level=caller_level,
        withheld=shown.allowance.withheld,
        disclosure=shown.disclosure,
    )
