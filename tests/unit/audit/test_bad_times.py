"""Times that are none, in what auditors ask."""

import asyncio
from typing import Any, cast

import grpc
import pytest
from audit.adapters.coverage import Coverage
from audit.adapters.grpc_audit import GrpcAudit
from careline.audit.v1 import audit_service_pb2 as pb2
from google.protobuf.timestamp_pb2 import Timestamp
from runtime.principal import Principal, PrincipalKind
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import FieldsInvalid
from runtime.request_context import RequestContext, acting_in
from sqlalchemy.ext.asyncio import create_async_engine

AUDITOR = Principal(PrincipalKind.AGENT, "agents/1", frozenset({"demo"}))
CONTEXT = cast("grpc.aio.ServicerContext[Any, Any]", None)
BEYOND = Timestamp(seconds=2**62)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (pb2.ListActionsRequest(start_time=BEYOND), "start_time"),
        (pb2.ListActionsRequest(end_time=BEYOND), "end_time"),
    ],
)
async def test_a_time_beyond_the_calendar_is_refused_by_its_field(
    asked: pb2.ListActionsRequest, field: str
) -> None:
    engine = create_async_engine("postgresql+asyncpg://nowhere.invalid/none")
    service = GrpcAudit(engine, Coverage(engine, ()))
    asking = RequestContext(
        "audit.listActions", "S/M", AUDITOR, "demo", PurposeOfUse.HOPERAT, _in_a_minute(), "c"
    )

    with acting_in(asking), pytest.raises(FieldsInvalid) as refused:
        await service.ListActions(asked, CONTEXT)

    assert [violation.field for violation in refused.value.violations] == [field]


def _in_a_minute() -> float:
    return asyncio.get_running_loop().time() + 60
