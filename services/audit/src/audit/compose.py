"""What audit is made of."""

from careline.audit.events.v1 import events_pb2
from careline.audit.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from runtime.service import Service
from runtime.service_runtime import ServiceRuntime

from audit.adapters.complete_trail import CompleteTrail
from audit.adapters.coverage import Coverage
from audit.adapters.grpc_audit import GrpcAudit
from audit.adapters.projection import TrailProjection
from audit.application.recording import TrailRecorder
from audit.application.retracting import TrailRetractor
from audit.settings import CONSUMES, AuditSettings


async def compose(runtime: ServiceRuntime[AuditSettings]) -> None:
    """Follow every other service's log into the trail, and answer from it."""
    trail = CompleteTrail(runtime.log, runtime.project(TrailProjection()))
    retractor = TrailRetractor(runtime.recorder, runtime.requests, trail)
    for consumption in CONSUMES:
        recorder = TrailRecorder(runtime.recorder, runtime.requests, consumption.durable)
        runtime.consume(
            consumption.source, consumption.purpose, recorder.handle, retract=retractor.retract
        )
    coverage = Coverage(runtime.queries, (one.source for one in CONSUMES))
    # Without NATS the trail stands still, and whoever asks it should know.
    runtime.serve(
        add_AuditServiceServicer_to_server,
        GrpcAudit(runtime.queries, coverage),
        needs={"database", "nats"},
    )


AUDIT = Service("audit", AuditSettings, (events_pb2,), compose)
