"""`careline events`: a service's log as it is, sealed. The operator's look is on record itself."""

import asyncio
import importlib
import json
import pkgutil
from datetime import UTC
from typing import Annotated

import careline
import typer
from careline.log.v1 import log_service_pb2 as log_pb2
from careline.log.v1.as_of_pb2 import AsOf
from careline.log.v1.log_service_pb2_grpc import LogServiceStub
from careline.log.v1.recorded_event_pb2 import EventMetadata, RecordedEvent
from google.protobuf.json_format import MessageToDict
from google.protobuf.symbol_database import Default
from grpc.aio import insecure_channel

from careline_cli import console
from careline_cli.commands.moment import as_of
from careline_cli.commands.options import Json, chosen_services, data_of
from careline_cli.contact.caller import Caller, new_trace
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.tenant import DEMO_TENANT


def events(
    context: typer.Context,
    *,
    service: Annotated[
        str, typer.Option("--service", help="Whose log; all of them unless said.")
    ] = "",
    stream: Annotated[
        str, typer.Option("--stream", help='Only this stream, as "conversations/0197...".')
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what comes.")] = False,
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of",
            help="Only what --stream held then: a time, or a position of the --service's log.",
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Print events as they are stored: what is sealed prints as sealed.

    They are the demo tenant's, and the look at them is on record itself.
    """
    wanted = chosen_services(service)
    request = log_pb2.ReadLogRequest(stream=stream, follow=follow)
    if as_of:
        request.as_of.CopyFrom(_as_of(as_of, request, service))
    _load_event_types()
    data = data_of(context)
    asyncio.run(_print_all(data, wanted, request, as_json=as_json))


def _as_of(text: str, request: log_pb2.ReadLogRequest, service: str) -> AsOf:
    read = as_of(text)
    if not request.stream or request.follow:
        raise typer.BadParameter("needs --stream, and no --follow", param_hint="--as-of")
    if read.WhichOneof("moment") == "position" and not service:
        raise typer.BadParameter("a position needs its log's --service", param_hint="--as-of")
    return read


async def _print_all(
    data: DataDirectory,
    services: tuple[str, ...],
    request: log_pb2.ReadLogRequest,
    *,
    as_json: bool,
) -> None:
    addresses = data.addresses()
    caller = Caller(OperatorToken(data, addresses).token, new_trace(), tenant=DEMO_TENANT)
    async with asyncio.TaskGroup() as group:
        for service in services:
            group.create_task(
                _print(service, addresses.services[service], caller, request, as_json=as_json)
            )


async def _print(
    service: str, address: str, caller: Caller, request: log_pb2.ReadLogRequest, *, as_json: bool
) -> None:
    async with insecure_channel(address) as channel:
        async for page in caller.stream(LogServiceStub(channel).ReadLog, request):
            for event in page.events:
                line = _as_json(service, event) if as_json else _as_text(service, event)
                console.OUT.print(line, soft_wrap=True, highlight=False, markup=False)


def _as_text(service: str, event: RecordedEvent) -> str:
    time = event.record_time.ToDatetime(UTC).isoformat(timespec="milliseconds")
    short = event.type.rpartition(".")[2]
    body = json.dumps(_body(event), ensure_ascii=False)
    return (
        f"{time} {service:<15} {event.position:>6} {event.stream}@{event.revision} {short} {body}"
    )


def _as_json(service: str, event: RecordedEvent) -> str:
    metadata = MessageToDict(
        EventMetadata.FromString(event.metadata), preserving_proto_field_name=True
    )
    return json.dumps(
        {
            "service": service,
            "position": event.position,
            "stream": event.stream,
            "revision": event.revision,
            "event_id": event.event_id,
            "type": event.type,
            "time": event.record_time.ToDatetime(UTC).isoformat(),
            "metadata": metadata,
            "data": _body(event),
        },
        ensure_ascii=False,
    )


def _body(event: RecordedEvent) -> dict[str, object]:
    """Give the event's clear part; of what is sealed, which fields are."""
    message = Default().GetSymbol(event.type).FromString(event.data)
    body: dict[str, object] = MessageToDict(message, preserving_proto_field_name=True)
    sealed = body.get("sealed")
    if isinstance(sealed, dict):
        body["sealed"] = sealed.get("paths", [])
    return body


def _load_event_types() -> None:
    for module in pkgutil.walk_packages(careline.__path__, "careline."):
        if module.name.endswith("events_pb2"):
            importlib.import_module(module.name)
