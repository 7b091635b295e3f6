"""`careline status`: what serves, and what does not."""

import asyncio
import json
from dataclasses import asdict, dataclass

import grpc
import typer
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from rich.table import Table
from runtime.dependency_names import DEPENDENCIES

from careline_cli import console
from careline_cli.commands.options import Json, data_of
from careline_cli.platform.data_directory import Addresses

HEALTH_CHECK = "/grpc.health.v1.Health/Check"
SECONDS = 3.0
AWAY = "AWAY"
SERVING = "SERVING"
WHOLE = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: "SERVING", "NOT_SERVING" or "AWAY", and which of what it depends on is away."""

    service: str
    address: str
    status: str
    missing: tuple[str, ...] = ()


def status(context: typer.Context, *, as_json: Json = False) -> None:
    """Show each service's health, and what it misses.

    Ends with status 1 unless all serve.
    """
    addresses = data_of(context).addresses()
    found = asyncio.run(_all(addresses))
    if as_json:
        text = {"services": [asdict(one) for one in found]}
        console.OUT.print_json(json.dumps(text))
    else:
        table = Table("service", "address", "status", "misses", box=None)
        for one in found:
            colour = "green" if one.status == SERVING else "red"
            shown = f"[{colour}]{one.status}[/{colour}]"
            table.add_row(one.service, one.address, shown, ", ".join(one.missing))
        console.OUT.print(table)
    if any(one.status != SERVING for one in found):
        raise typer.Exit(1)


async def _all(addresses: Addresses) -> list[ServiceStatus]:
    return list(
        await asyncio.gather(
            *(
                _one(service, addresses.services[service], health)
                for service, health in addresses.health.items()
            )
        )
    )


async def _one(service: str, address: str, health: str) -> ServiceStatus:
    async with grpc.aio.insecure_channel(health) as channel:
        check = channel.unary_unary(
            HEALTH_CHECK,
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )

        async def health_of(name: str) -> str:
            answer = await check(HealthCheckRequest(service=name), timeout=SECONDS)
            return HealthCheckResponse.ServingStatus.Name(answer.status)

        try:
            whole, *parts = await asyncio.gather(*map(health_of, (WHOLE, *DEPENDENCIES)))
        except grpc.aio.AioRpcError:
            return ServiceStatus(service, address, AWAY)
    states = zip(DEPENDENCIES, parts, strict=True)
    missing = tuple(name for name, state in states if state != SERVING)
    return ServiceStatus(service, address, whole, missing)
