"""`careline call`: a client by reflection, for any method of any service."""

import asyncio
import json
import sys
from typing import Annotated

import grpc
import typer

from careline_cli import console
from careline_cli.commands.options import data_of
from careline_cli.commands.token import Who, token_of
from careline_cli.platform.data_directory import Addresses
from careline_cli.reflection import CallRefused, ReflectingClient
from careline_cli.tenant import DEMO_TENANT

PACKAGE_PARTS = 3


def call(
    context: typer.Context,
    method: Annotated[str, typer.Argument(help="package.Service/Method")],
    request: Annotated[str, typer.Argument(help="JSON, or - for standard input.")] = "{}",
    *,
    who: Annotated[Who, typer.Option("--as", help="Who calls.")] = Who.OPERATOR,
    service: Annotated[
        str, typer.Option("--service", help="Which service, where its name is not in the method.")
    ] = "",
    purpose: Annotated[str, typer.Option("--purpose", help="Purpose of use, as TREAT.")] = "",
    seconds: Annotated[float, typer.Option("--seconds", help="Deadline of the call.")] = 10.0,
) -> None:
    """Call a method with JSON and print its answers as JSON."""
    data = data_of(context)
    address = _address(data.addresses(), method, service)
    body = _parsed(sys.stdin.read() if request == "-" else request)
    metadata = {
        "authorization": f"Bearer {asyncio.run(token_of(data, who))}",
        "careline-tenant": DEMO_TENANT,
    }
    if purpose:
        metadata["careline-purpose-of-use"] = purpose
    with grpc.insecure_channel(address) as channel:
        client = ReflectingClient(channel)
        for answer in client.call(method, body, metadata=metadata, seconds=seconds):
            console.OUT.print_json(json.dumps(answer))


def _address(addresses: Addresses, method: str, service: str) -> str:
    parts = method.split(".")
    name = service or (parts[1] if len(parts) > PACKAGE_PARTS else "")
    try:
        return addresses.services[name]
    except KeyError:
        known = ", ".join(addresses.services)
        raise CallRefused(f"which service? give --service, one of: {known}") from None


def _parsed(text: str) -> dict[str, object]:
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise CallRefused(f"the request is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise CallRefused("the request is no JSON object")
    return body
