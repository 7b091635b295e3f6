"""Turns what went wrong into a google.rpc.Status that tells what to do and nothing else."""

from collections.abc import Iterator
from typing import Final, NoReturn

import grpc
from eventstore.decider import Rejected
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from runtime.error_answers import ERROR_ANSWERS, ErrorAnswer
from runtime.foreign_errors import reason_of_foreign
from runtime.public_value import public_metadata
from runtime.refusal import FieldsInvalid, Refused

DOMAIN: Final = "careline"
DETAILS_KEY: Final = "grpc-status-details-bin"


def refusal_of(error: BaseException) -> Refused | None:
    """Translate an error that somebody foresaw; None for any other."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, Rejected):
        error = Refused(error.reason, metadata=error.metadata)
    if not isinstance(error, Refused):
        reason = reason_of_foreign(error)
        return None if reason is None else Refused(reason)
    return error if error.reason in ERROR_ANSWERS else None


def internal(incident: str) -> Refused:
    """Make the answer to what nobody foresaw: an incident id to look up in the log."""
    return Refused("INTERNAL", metadata={"incident": incident})


def status_of(refused: Refused) -> status_pb2.Status:
    """Make the status: a fixed text, ErrorInfo, and BadRequest and RetryInfo if they apply."""
    answer = ERROR_ANSWERS[refused.reason]
    status = status_pb2.Status(code=answer.code.value[0], message=answer.text)
    for detail in _details(refused, answer):
        status.details.add().Pack(detail)
    return status


async def abort_with_status(
    context: grpc.aio.ServicerContext[object, object], refused: Refused
) -> NoReturn:
    """End the call with the refusal's status."""
    status = status_of(refused)
    await context.abort(
        ERROR_ANSWERS[refused.reason].code,
        status.message,
        ((DETAILS_KEY, status.SerializeToString()),),
    )


def status_from(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    """Read the status that a call of a Careline service failed with; None when it has none."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    return None


def reason_from(error: grpc.aio.AioRpcError) -> str:
    """Read the reason that a call of a Careline service failed for; empty when it gives none."""
    status = status_from(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status is not None else ():
        if detail.Unpack(info) and info.domain == DOMAIN:
            return str(info.reason)
    return ""


def _details(
    refused: Refused, answer: ErrorAnswer
) -> Iterator[
    error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo
]:
    yield error_details_pb2.ErrorInfo(
        reason=refused.reason, domain=DOMAIN, metadata=public_metadata(refused.metadata)
    )
    if isinstance(refused, FieldsInvalid):
        violations = [
            error_details_pb2.BadRequest.FieldViolation(
                field=violation.field, description=violation.description
            )
            for violation in refused.violations
        ]
        yield error_details_pb2.BadRequest(field_violations=violations)
    retry_after = refused.retry_after or answer.retry_after
    if retry_after is not None:
        delay = Duration()
        delay.FromMilliseconds(int(retry_after * 1000))
        yield error_details_pb2.RetryInfo(retry_delay=delay)
