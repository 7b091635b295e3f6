"""AuditService over gRPC."""

from datetime import datetime
from typing import Any, Final

import grpc
from careline.audit.v1 import audit_service_pb2 as pb2
from careline.audit.v1.audit_service_pb2_grpc import AuditServiceServicer
from careline.log.v1.recorded_event_pb2 import Actor
from google.protobuf.message import Message
from runtime.database.tenant_session import tenant_session
from runtime.field_checks import moment_of
from runtime.paging import page_size, page_token, place_of
from runtime.refusal import field_invalid
from runtime.request_context import current_request
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from audit.adapters import filters, queries
from audit.adapters.coverage import Coverage
from audit.adapters.queries import Place, Span

USUAL_PAGE: Final = 50
LARGEST_PAGE: Final = 500
Context = grpc.aio.ServicerContext[Any, Any]


class GrpcAudit(AuditServiceServicer):
    """Answers who did what and who saw whose data, within the caller's tenant."""

    def __init__(self, engine: AsyncEngine, coverage: Coverage) -> None:
        self._engine = engine
        self._coverage = coverage

    async def ListAccesses(  # noqa: N802 - gRPC's name
        self, request: pb2.ListAccessesRequest, _: Context
    ) -> pb2.ListAccessesResponse:
        if not request.patient and not request.recipient:
            raise field_invalid("patient", 'a name as "patients/{id}", or a recipient, or both')
        patient = filters.name(request.patient, "patient", "patients/{id}")
        recipient = filters.name(request.recipient, "recipient")
        span, after = _span(request), _place(request)
        size = page_size(request.page_size, usual=USUAL_PAGE, largest=LARGEST_PAGE)
        if request.at_least:
            await self._coverage.reaches(request.at_least_service, request.at_least)
        async with tenant_session(self._engine, current_request().tenant) as connection:
            found = await queries.accesses(
                connection,
                patient=patient,
                recipient=recipient,
                span=span,
                after=after,
                limit=size + 1,
            )
        return pb2.ListAccessesResponse(
            accesses=[_access(row) for row in found[:size]],
            next_page_token=_next(request, found, size, "disclose_time"),
        )

    async def ListActions(  # noqa: N802 - gRPC's name
        self, request: pb2.ListActionsRequest, _: Context
    ) -> pb2.ListActionsResponse:
        stream, actor = filters.name(request.stream, "stream"), filters.name(request.actor, "actor")
        trace_id = filters.trace_id(request.trace_id)
        span, after = _span(request), _place(request)
        size = page_size(request.page_size, usual=USUAL_PAGE, largest=LARGEST_PAGE)
        async with tenant_session(self._engine, current_request().tenant) as connection:
            found = await queries.actions(
                connection,
                stream=stream,
                actor=actor,
                trace_id=trace_id,
                span=span,
                after=after,
                limit=size + 1,
            )
        return pb2.ListActionsResponse(
            actions=[_action(row) for row in found[:size]],
            next_page_token=_next(request, found, size, "record_time"),
        )

    async def GetCoverage(  # noqa: N802 - gRPC's name
        self, _request: pb2.GetCoverageRequest, _: Context
    ) -> pb2.GetCoverageResponse:
        return pb2.GetCoverageResponse(coverage=await self._coverage.of_all())


def _span(request: pb2.ListAccessesRequest | pb2.ListActionsRequest) -> Span:
    start = moment_of(request.start_time, "start_time") if request.HasField("start_time") else None
    end = moment_of(request.end_time, "end_time") if request.HasField("end_time") else None
    if start is not None and end is not None and end <= start:
        raise field_invalid("end_time", "a time after start_time")
    return Span(start, end)


def _place(request: pb2.ListAccessesRequest | pb2.ListActionsRequest) -> Place | None:
    parts = place_of(request, request.page_token, 4)
    return None if parts is None else filters.place(parts)


def _next(query: Message, found: list[Row[Any]], size: int, time: str) -> str:
    """Give the token of the page after this one, nothing when this is the last."""
    if len(found) <= size:
        return ""
    last = found[size - 1]
    moment: datetime = getattr(last, time)
    return page_token(
        query, (moment.isoformat(), last.service, str(last.epoch), str(last.position))
    )


def _access(row: Row[Any]) -> pb2.Access:
    access = pb2.Access(
        patient=row.patient,
        recipient=Actor(kind=row.recipient_kind, name=row.recipient),
        service=row.service,
        action=row.action,
        purpose_of_use=row.purpose_of_use,
        resource_types=row.resource_types,
        conversation=row.conversation,
        caller_level=row.caller_level,
        record=row.record,
        event_id=str(row.event_id),
        position=row.position,
        trace_id=row.trace_id,
    )
    access.disclose_time.FromDatetime(row.disclose_time)
    return access


def _action(row: Row[Any]) -> pb2.RecordedAction:
    action = pb2.RecordedAction(
        service=row.service,
        action=row.action,
        actor=Actor(kind=row.actor_kind, name=row.actor),
        type=row.type,
        stream=row.stream,
        event_id=str(row.event_id),
        position=row.position,
        trace_id=row.trace_id,
        purpose_of_use=row.purpose_of_use,
    )
    action.time.FromDatetime(row.record_time)
    return action
