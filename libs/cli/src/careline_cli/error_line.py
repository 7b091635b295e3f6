"""The one line that an error is shown as."""

from typing import cast

import grpc
from embedded import EmbeddedServerError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from careline_cli.command_error import CommandError


def line_of(error: BaseException) -> str | None:
    """Give the line to show for an error that people can act on, None for a fault of ours."""
    if isinstance(error, BaseExceptionGroup):
        lines = [line_of(one) for one in error.exceptions]
        return None if None in lines else "; ".join(line for line in lines if line)
    if isinstance(error, grpc.RpcError):
        # Of either kind, synchronous or not; both have what a call that ended has.
        return _refusal(cast("grpc.Call", error))
    return str(error) if isinstance(error, CommandError | EmbeddedServerError) else None


def _refusal(error: grpc.Call) -> str:
    status = rpc_status.from_call(error)
    reason, violations = "", []
    for detail in status.details if status else ():
        info, request = ErrorInfo(), BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(request):
            violations += [f"{one.field}: {one.description}" for one in request.field_violations]
    code = error.code().name
    return " · ".join(part for part in (code, reason, error.details(), *violations) if part)
