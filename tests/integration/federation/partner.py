"""A partner call centre, as it sees Careline: a creds file, a stream, a consumer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from careline.conversations.events.v1.events_pb2 import (
    ConversationStarted,
    ConversationWrappedUp,
    MessagePosted,
)
from careline.federation.v1 import partner_service_pb2 as pb2
from careline.federation.v1.partner_service_pb2_grpc import PartnerServiceStub
from google.protobuf.message import Message
from integration.federation.platform_rig import PlatformRig
from messaging.connect import NatsClient
from messaging.partner_account import API_PREFIX
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from runtime.new_id import new_id

CONTRACTED = (ConversationStarted, MessagePosted, ConversationWrappedUp)
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Partner:
    """A contract, and the API by which operators handle it."""

    rig: PlatformRig
    api: PartnerServiceStub
    contract: pb2.Contract
    request: pb2.CreateContractRequest

    async def issue(self, request_id: UUID | None = None) -> pb2.IssueCredentialsResponse:
        return await self.api.IssueCredentials(
            pb2.IssueCredentialsRequest(
                request_id=str(request_id or new_id()), partner=self.contract.name
            )
        )

    async def revoke(self, user: str) -> pb2.RevokeCredentialsResponse:
        return await self.api.RevokeCredentials(
            pb2.RevokeCredentialsRequest(
                request_id=str(new_id()), partner=self.contract.name, user=user
            )
        )

    async def suspend(self) -> pb2.SuspendPartnerResponse:
        return await self.api.SuspendPartner(
            pb2.SuspendPartnerRequest(
                request_id=str(new_id()), partner=self.contract.name, reason="INCIDENT"
            )
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Desk"]:
        client = await self.rig.connect((await self.issue()).credentials)
        async with client:
            yield await desk(client, self.contract)


@dataclass(frozen=True, slots=True)
class Desk:
    """A connected user of the partner's."""

    client: NatsClient
    js: JetStreamContext
    pull: JetStreamContext.PullSubscription

    async def take(self, number: int) -> list[Msg]:
        """Pull that many messages and acknowledge each."""
        messages: list[Msg] = []
        while len(messages) < number:
            for message in await self.pull.fetch(number - len(messages), timeout=40):
                await message.ack_sync(timeout=5)
                messages.append(message)
        return messages


async def desk(client: NatsClient, contract: pb2.Contract) -> Desk:
    js = client.jetstream(prefix=API_PREFIX)
    pull = await js.pull_subscribe_bind(consumer=contract.consumer, stream=contract.stream)
    return Desk(client, js, pull)


def new_request(*kinds: type[Message], key: str = "") -> pb2.CreateContractRequest:
    number = next(_NUMBERS)
    return pb2.CreateContractRequest(
        request_id=str(new_id()),
        contract=pb2.Contract(
            partner_key=key or f"acme{number}",
            display_name=f"Acme {number}",
            event_types=[kind.DESCRIPTOR.full_name for kind in kinds or CONTRACTED],
        ),
    )


async def new_partner(
    rig: PlatformRig,
    *kinds: type[Message],
    tenant: str = "demo",
    key: str = "",
    port: int | None = None,
) -> Partner:
    api = await rig.api(tenant, port=port)
    request = new_request(*kinds, key=key)
    created = await api.CreateContract(request)
    return Partner(rig, api, created.contract, request)
