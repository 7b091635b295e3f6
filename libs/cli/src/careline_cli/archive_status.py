"""How far logs are archived, and how far behind the logs of a running platform that is."""

import asyncio
from dataclasses import dataclass

import grpc
from careline.log.v1.log_service_pb2 import GetHeadRequest
from careline.log.v1.log_service_pb2_grpc import LogServiceStub
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.overview import overview

from careline_cli.contact.caller import Caller, new_trace
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.tenant import DEMO_TENANT


@dataclass(frozen=True, slots=True)
class ServiceArchiveStatus:
    """One log: None for what is not there. `lag` counts positions, while the platform runs."""

    log: str
    epoch: int | None
    segments: int | None
    signed_position: int | None
    position: int | None
    written_at: str | None
    head: int | None

    @property
    def lag(self) -> int | None:
        if self.head is None or self.position is None:
            return None
        return max(self.head - self.position, 0)


async def archive_status(
    data: DataDirectory, store: ArchiveStore, services: tuple[str, ...]
) -> list[ServiceArchiveStatus]:
    """Look at each log's archive and at its head, which is None where no platform runs."""
    heads = await _heads(data, services)
    found = [await overview(store, service) for service in services]
    return [
        ServiceArchiveStatus(
            log=service,
            epoch=one.epoch if one else None,
            segments=one.segments if one else None,
            signed_position=one.signed_position if one else None,
            position=one.position if one else None,
            written_at=one.written_at if one else None,
            head=heads.get(service),
        )
        for service, one in zip(services, found, strict=True)
    ]


async def _heads(data: DataDirectory, services: tuple[str, ...]) -> dict[str, int]:
    try:
        addresses = data.addresses()
    except DataDirectoryError:
        return {}
    caller = Caller(OperatorToken(data, addresses).token, new_trace(), tenant=DEMO_TENANT)

    async def head(service: str) -> int:
        async with grpc.aio.insecure_channel(addresses.services[service]) as channel:
            answer = await caller.call(LogServiceStub(channel).GetHead, GetHeadRequest())
            return answer.position

    return dict(zip(services, await asyncio.gather(*map(head, services)), strict=True))
