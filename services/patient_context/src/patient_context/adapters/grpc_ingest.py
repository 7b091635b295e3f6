"""IngestService over gRPC."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import grpc
from careline.patient_context.v1 import ingest_service_pb2 as pb2
from careline.patient_context.v1.ingest_service_pb2_grpc import IngestServiceServicer
from eventstore.projection_progress import ProjectionBehind
from runtime.request_context import current_request

from patient_context.adapters.fhir.file_outcome import FileOutcome
from patient_context.adapters.fhir.patients import Refusal
from patient_context.adapters.fhir.spill import Spill
from patient_context.adapters.ingest_stream import IngestStream
from patient_context.application.projected import Projected
from patient_context.application.taking_in import TakingIn

_log = logging.getLogger(__name__)
Context = grpc.aio.ServicerContext[Any, Any]
LONGEST_WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """How many streams are read at once, and how much one may keep in memory and in all."""

    streams: int
    spill_directory: Path
    in_memory: int
    at_most: int


class GrpcIngest(IngestServiceServicer):
    """Takes files in; a stream ends when what it brought can be found."""

    def __init__(
        self,
        taking_in: TakingIn,
        projected: Projected,
        limits: IngestLimits,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._taking_in = taking_in
        self._projected = projected
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.streams)
        self._now = now

    async def IngestResources(  # noqa: N802 - gRPC's name
        self, requests: AsyncIterator[pb2.IngestResourcesRequest], _: Context
    ) -> AsyncIterator[pb2.IngestResourcesResponse]:
        limits = self._limits
        with Spill(
            limits.spill_directory, in_memory=limits.in_memory, at_most=limits.at_most
        ) as spill:
            async with self._turns:
                stream = IngestStream(self._taking_in, spill, self._now())
                async for request in requests:
                    outcome = await stream.take(request)
                    if outcome is not None:
                        yield _answer(outcome)
                async for outcome in stream.end():
                    yield _answer(outcome)
            await self._until_found(stream.position)

    async def _until_found(self, position: int) -> None:
        seconds = min(current_request().remaining(), LONGEST_WAIT_SECONDS)
        try:
            await self._projected.wait_for(position, seconds)
        except ProjectionBehind:
            # All is on record, which is what was asked; that the read model lags has its alarm.
            _log.warning("what was taken in can not be found yet", extra={"position": position})


def _answer(outcome: FileOutcome) -> pb2.IngestResourcesResponse:
    answer = pb2.IngestResourcesResponse(
        file=outcome.file,
        patients=outcome.patients,
        changed=outcome.changed,
        resources=outcome.resources,
        refused=map(_refused, outcome.refused),
    )
    if outcome.more_refused:
        answer.refused.add(reason=f"{outcome.more_refused} more are refused and not listed")
    return answer


def _refused(refusal: Refusal) -> pb2.Refused:
    return pb2.Refused(line=refusal.where.line, path=refusal.where.path, reason=refusal.reason)
