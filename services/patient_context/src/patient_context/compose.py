"""What patient_context is made of."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from careline.patient_context.events.v1 import events_pb2
from careline.patient_context.v1.consent_service_pb2_grpc import (
    add_ConsentServiceServicer_to_server,
)
from careline.patient_context.v1.ingest_service_pb2_grpc import add_IngestServiceServicer_to_server
from careline.patient_context.v1.patient_service_pb2_grpc import (
    add_PatientServiceServicer_to_server,
)
from runtime.service import Service
from runtime.service_runtime import ServiceRuntime

from patient_context.adapters.fhir.spill import require_writable
from patient_context.adapters.grpc_consents import GrpcConsents
from patient_context.adapters.grpc_ingest import GrpcIngest, IngestLimits
from patient_context.adapters.grpc_patients import BY_NAME_ALONE, REGISTRATION, GrpcPatients
from patient_context.adapters.read_model.projection import PatientProjection
from patient_context.adapters.read_model.queries import PatientRows, pending_erasures
from patient_context.adapters.wanted import Index
from patient_context.application.consents import Consents
from patient_context.application.content import Contents
from patient_context.application.erasures import Erasures, PendingErasure
from patient_context.application.screen_pop import ScreenPops
from patient_context.application.search import Search
from patient_context.application.taking_in import TakingIn
from patient_context.application.unfinished_erasures import UnfinishedErasures
from patient_context.settings import PatientContextSettings


async def compose(runtime: ServiceRuntime[PatientContextSettings]) -> None:
    """Take patients in, show them as far as allowed, and erase them."""
    settings, requests, keyring = runtime.settings, runtime.requests, runtime.keyring
    spill_directory = Path(settings.spill_directory)
    require_writable(spill_directory)
    projected = runtime.project(PatientProjection(runtime.codec, keyring))
    rows = PatientRows(runtime.queries, runtime.sealer)
    erasures = Erasures(runtime.executor, requests, keyring, projected)
    patience = timedelta(seconds=settings.unfinished_erasure_seconds)

    async def unfinished() -> list[PendingErasure]:
        return await pending_erasures(runtime.queries, before=datetime.now(UTC) - patience)

    runtime.run(
        UnfinishedErasures(erasures, unfinished, look_every=settings.unfinished_erasure_seconds).run
    )
    patients = GrpcPatients(
        Search(rows, runtime.records),
        Index(keyring),
        ScreenPops(runtime.executor, rows, projected, runtime.records),
        erasures,
        runtime.access,
        runtime.caller_assertions,
        requests,
    )
    ingest = GrpcIngest(
        TakingIn(runtime.executor, requests, Contents(keyring)),
        projected,
        IngestLimits(
            settings.concurrent_ingests,
            spill_directory,
            settings.spill_in_memory_bytes,
            settings.spill_bytes,
        ),
    )
    runtime.decides(BY_NAME_ALONE, REGISTRATION)
    runtime.serve(add_PatientServiceServicer_to_server, patients)
    runtime.serve(add_IngestServiceServicer_to_server, ingest)
    consents = GrpcConsents(Consents(runtime.executor, projected), requests)
    runtime.serve(add_ConsentServiceServicer_to_server, consents)


PATIENT_CONTEXT = Service("patient_context", PatientContextSettings, (events_pb2,), compose)
