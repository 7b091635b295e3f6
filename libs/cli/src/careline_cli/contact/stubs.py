"""The public APIs that the player uses, each on its service's channel."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
from careline.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from careline.conversations.v1.call_service_pb2_grpc import CallServiceStub
from careline.conversations.v1.conversation_service_pb2_grpc import ConversationServiceStub
from careline.conversations.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from careline.federation.v1.partner_service_pb2_grpc import PartnerServiceStub
from careline.identity.v1.agent_service_pb2_grpc import AgentServiceStub
from careline.identity.v1.caller_verification_service_pb2_grpc import (
    CallerVerificationServiceStub,
)
from careline.identity.v1.token_service_pb2_grpc import TokenServiceStub
from careline.patient_context.v1.ingest_service_pb2_grpc import IngestServiceStub
from careline.patient_context.v1.patient_service_pb2_grpc import PatientServiceStub
from careline.routing.v1.agent_desk_service_pb2_grpc import AgentDeskServiceStub
from careline.routing.v1.queue_service_pb2_grpc import QueueServiceStub
from careline.routing.v1.routing_service_pb2_grpc import RoutingServiceStub

OPTIONS = (
    # A service that was killed is back within seconds; gRPC would wait for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


@dataclass(frozen=True, slots=True)
class Stubs:
    """One stub an RPC service, named for it."""

    agents: AgentServiceStub
    tokens: TokenServiceStub
    verifications: CallerVerificationServiceStub
    conversations: ConversationServiceStub
    calls: CallServiceStub
    deliveries: DeliveryServiceStub
    routing: RoutingServiceStub
    desk: AgentDeskServiceStub
    queues: QueueServiceStub
    patients: PatientServiceStub
    ingest: IngestServiceStub
    audit: AuditServiceStub
    partners: PartnerServiceStub


@asynccontextmanager
async def connected(addresses: Mapping[str, str]) -> AsyncIterator[Stubs]:
    """Open a channel to each service ("host:port" by service name) for as long as the context."""
    async with AsyncExitStack() as stack:
        channels = {
            service: await stack.enter_async_context(grpc.aio.insecure_channel(address, OPTIONS))
            for service, address in addresses.items()
        }
        yield Stubs(
            agents=AgentServiceStub(channels["identity"]),
            tokens=TokenServiceStub(channels["identity"]),
            verifications=CallerVerificationServiceStub(channels["identity"]),
            conversations=ConversationServiceStub(channels["conversations"]),
            calls=CallServiceStub(channels["conversations"]),
            deliveries=DeliveryServiceStub(channels["conversations"]),
            routing=RoutingServiceStub(channels["routing"]),
            desk=AgentDeskServiceStub(channels["routing"]),
            queues=QueueServiceStub(channels["routing"]),
            patients=PatientServiceStub(channels["patient_context"]),
            ingest=IngestServiceStub(channels["patient_context"]),
            audit=AuditServiceStub(channels["audit"]),
            partners=PartnerServiceStub(channels["federation"]),
        )
