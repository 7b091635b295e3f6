"""The services around identity: conversations' outbox for codes, and patient_context's log."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import grpc
from careline.conversations.v1 import delivery_service_pb2 as pb2
from careline.conversations.v1.delivery_service_pb2_grpc import (
    DeliveryServiceServicer,
    add_DeliveryServiceServicer_to_server,
)
from careline.log.v1.recorded_event_pb2 import EventMetadata
from careline.patient_context.events.v1 import events_pb2 as patients_pb2
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from integration.messaging.log_rig import LogRig
from integration.messaging.nats_rig import NatsRig
from messaging.relay import Relay
from runtime.background import beside
from runtime.errors import abort_with_status
from runtime.event_codec import LogCodec
from runtime.new_id import new_id
from runtime.refusal import Refused
from runtime.service import event_types
from sealing.event_codec import EventCodec
from sealing.keyring import Keyring
from sealing.sealer import Sealer
from sqlalchemy.ext.asyncio import AsyncEngine

DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A code that identity handed over, and what its call carried."""

    request: pb2.EnqueueCodeRequest
    metadata: dict[str, str | bytes]


@dataclass(slots=True)
class Outbox(DeliveryServiceServicer):
    """Serves EnqueueCode alone, for the channels in `serves` (none: for all).

    `fails_with` ends each call by that gRPC code.
    """

    serves: set[int] = field(default_factory=set)
    fails_with: grpc.StatusCode | None = None
    enqueued: list[Enqueued] = field(default_factory=list)

    def WatchDeliveries(self, *_: object) -> NoReturn:  # noqa: N802  gRPC's name
        raise NotImplementedError

    def AcknowledgeDelivery(self, *_: object) -> NoReturn:  # noqa: N802  gRPC's name
        raise NotImplementedError

    async def EnqueueCode(  # noqa: N802  gRPC's name
        self,
        request: pb2.EnqueueCodeRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> pb2.EnqueueCodeResponse:
        if self.fails_with is not None:
            await context.abort(self.fails_with, "made to fail")
        if self.serves and request.channel not in self.serves:
            await abort_with_status(context, Refused("CODE_UNDELIVERABLE"))
        metadata = dict(context.invocation_metadata() or ())
        self.enqueued.append(Enqueued(request, metadata))
        return pb2.EnqueueCodeResponse(delivery=f"deliveries/{new_id()}")

    def code_of(self, conversation: str) -> str:
        """Give the latest code of a conversation, as its caller reads it."""
        return self.sent(conversation)[-1].request.one_time_code

    def sent(self, conversation: str) -> list[Enqueued]:
        return [each for each in self.enqueued if each.request.conversation == conversation]


@asynccontextmanager
async def serving_outbox(outbox: Outbox) -> AsyncIterator[int]:
    """Serve on a free port of loopback."""
    server = grpc.aio.server()
    add_DeliveryServiceServicer_to_server(outbox, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@dataclass(frozen=True, slots=True)
class PatientLog:
    """patient_context's log, relayed to its stream."""

    log_rig: LogRig
    codec: LogCodec

    @property
    def log(self) -> PostgresEventLog:
        return self.log_rig.log

    async def append(self, tenant: str, patient: str, *events: Message) -> int:
        """Append facts about a patient; gives the position."""
        ids = [new_id() for _ in events]
        metadata = EventMetadata(action="patient_context.ingest").SerializeToString()
        stream = StreamId(tenant, patient)
        new = await self.codec.encode(stream, patient, ids, events, metadata, DIGEST)
        return (await self.log.append(Write(stream, ExpectedRevision.ANY, new))).position

    async def register(
        self, tenant: str, demographics: patients_pb2.Demographics, *, deceased: bool = False
    ) -> str:
        """Register a patient; gives the name."""
        patient = f"patients/{new_id()}"
        event = patients_pb2.PatientRegistered(demographics=demographics, deceased=deceased)
        event.register_time.FromDatetime(datetime.now(UTC))
        await self.append(tenant, patient, event)
        return patient


@asynccontextmanager
async def patient_log(
    admin: AsyncEngine, engine: AsyncEngine, keyring: Keyring, nats: NatsRig
) -> AsyncIterator[PatientLog]:
    """Keep the log by an engine with the service's rights; `admin` has all of them."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(PostgresEventLog(engine, "patient_context"))
        client = await nats.connect(nats.service("patient_context"))
        await stack.enter_async_context(client)
        relay = Relay(log, engine, "patient_context", "patient_context", client)
        await stack.enter_async_context(beside(relay.run))
        types = event_types((patients_pb2,))
        yield PatientLog(
            LogRig(admin, engine, "patient_context", log),
            LogCodec(EventCodec(Sealer(keyring), "patient_context", types)),
        )


def person(
    given: str,
    family: str,
    *,
    birth_date: str = "1972-03-03",
    phone: str = "617-555-0101",
    phone_use: str = "mobile",
    since: str = "",
    record_number: str = "",
    maiden: str = "",
) -> patients_pb2.Demographics:
    """Describe somebody at 586 Jacobs Trailer in 01013."""
    names = [patients_pb2.PersonName(use="official", family_name=family, given_names=[given])]
    if maiden:
        names.append(patients_pb2.PersonName(use="maiden", family_name=maiden, given_names=[given]))
    return patients_pb2.Demographics(
        names=names,
        birth_date=birth_date,
        gender="female",
        telecoms=[
            patients_pb2.ContactPoint(system="phone", use=phone_use, value=phone, since=since)
        ]
        if phone
        else [],
        addresses=[
            patients_pb2.PostalAddress(
                lines=["586 Jacobs Trailer"], city="Springfield", state="MA", postal_code="01013"
            )
        ],
        identifiers=[
            patients_pb2.Identifier(
                system="http://hospital.example.org", type="MR", value=record_number
            )
        ]
        if record_number
        else [],
    )
