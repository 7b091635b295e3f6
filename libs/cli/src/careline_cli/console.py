"""How the command speaks: progress and errors on standard error, results on standard output."""

from typing import NoReturn, cast

import grpc
from embedded import EmbeddedServerError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status
from rich.console import Console

from careline_cli.contact.persona import PersonaUnknown
from careline_cli.contact.sms_contact import ContactFailed
from careline_cli.contact.timeline import TrailBehind
from careline_cli.platform.data_directory import DataDirectoryError
from careline_cli.reflection import CallRefused

OUT = Console()
ERR = Console(stderr=True)
SHOWN = (
    EmbeddedServerError,
    DataDirectoryError,
    CallRefused,
    ContactFailed,
    PersonaUnknown,
    TrailBehind,
)


def say(step: str) -> None:
    """Show progress."""
    ERR.print(f"[dim]·[/dim] {step}", highlight=False)


def fail(text: str) -> NoReturn:
    """Show one line and end with status 1."""
    ERR.print(f"careline: {text}", style="red", soft_wrap=True, highlight=False, markup=False)
    raise SystemExit(1)


def line_of(error: BaseException) -> str | None:
    """Give the line to show for an error that people can act on, None for a fault of ours."""
    if isinstance(error, BaseExceptionGroup):
        lines = [line_of(one) for one in error.exceptions]
        return None if None in lines else "; ".join(line for line in lines if line)
    if isinstance(error, grpc.RpcError):
        # Of either kind, synchronous or not; both have what a call that ended has.
        return _refusal(cast("grpc.Call", error))
    return str(error) if isinstance(error, SHOWN) else None


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
