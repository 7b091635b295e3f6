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
from careline_cli.platform.data_directory import Addresses, DataDirectory
from careline_cli.platform.keyring_backup.folder import BackupFolder
from careline_cli.platform.keyring_backup.standby import StandbyState
from careline_cli.platform.keyring_backup.status import standby_of

HEALTH_CHECK = "/grpc.health.v1.Health/Check"
SECONDS = 3.0
AWAY = "AWAY"
SERVING = "SERVING"
WHOLE = ""
NO_STANDBY = (
    "keyring: nobody writes its log to a second disk, so new conversations and patients are "
    "refused until the receiver runs again, which is tried by itself; see "
)


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: "SERVING", "NOT_SERVING" or "AWAY", and which of what it depends on is away."""

    service: str
    address: str
    status: str
    missing: tuple[str, ...] = ()


def status(context: typer.Context, *, as_json: Json = False) -> None:
    """Show each service's health, what it misses, and whether keys are on two disks.

    Ends with status 1 unless all serve and keys are.
    """
    data = data_of(context)
    addresses = data.addresses()
    found, standby = asyncio.run(_all(data, addresses))
    if as_json:
        text = {
            "services": [asdict(one) for one in found],
            "keyring": {"synchronous": standby.synchronous},
        }
        console.OUT.print_json(json.dumps(text))
    else:
        table = Table("service", "address", "status", "misses", box=None)
        for one in found:
            colour = "green" if one.status == SERVING else "red"
            shown = f"[{colour}]{one.status}[/{colour}]"
            table.add_row(one.service, one.address, shown, ", ".join(one.missing))
        console.OUT.print(table)
        if not standby.synchronous:
            log = BackupFolder.of(data).log_file
            console.OUT.print(f"{NO_STANDBY}{log}", style="red", soft_wrap=True, markup=False)
    if not standby.synchronous or any(one.status != SERVING for one in found):
        raise typer.Exit(1)


async def _all(
    data: DataDirectory, addresses: Addresses
) -> tuple[list[ServiceStatus], StandbyState]:
    services = asyncio.gather(
        *(
            _one(service, addresses.services[service], health)
            for service, health in addresses.health.items()
        )
    )
    found, standby = await asyncio.gather(services, standby_of(data))
    return list(found), standby


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
