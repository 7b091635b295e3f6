"""`careline up`: starts the platform and keeps it running."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import Annotated

import typer
from embedded.local_ports import HOST

from careline_cli import console
from careline_cli.commands.demo import play_and_show
from careline_cli.commands.options import data_of
from careline_cli.demo_setup import set_up_demo
from careline_cli.platform.data_directory import Addresses, DataDirectory, DataDirectoryError
from careline_cli.platform.running_platform import running_platform
from careline_cli.tenant import DEMO_TENANT

DETACH_SECONDS = 240.0
POLL_SECONDS = 0.2
EXAMPLE = "careline.routing.v1.QueueService/ListQueues"


def up(
    context: typer.Context,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once everything serves; `down` stops it.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Play one contact when everything serves.")
    ] = False,
) -> None:
    """Start PostgreSQL, NATS, OpenBao and the six services, and keep them running."""
    data = data_of(context)
    data.require_stopped()
    if detach:
        _detach(data)
    else:
        asyncio.run(_serve_until_stopped(data, demo=demo))


async def _serve_until_stopped(data: DataDirectory, *, demo: bool) -> None:
    """Serve until SIGINT or SIGTERM, whichever step is under way."""
    serving = asyncio.create_task(_serve(data, demo=demo))
    asked = False

    def stop() -> None:
        nonlocal asked
        if not asked:
            console.say("stopping")
            serving.cancel()
        asked = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await asyncio.wait((serving,))
    if serving.cancelled():
        console.say("stopped; the data stay for the next start")
        return
    serving.result()


async def _serve(data: DataDirectory, *, demo: bool) -> None:
    began = time.monotonic()
    async with running_platform(data, console.say) as addresses:
        try:
            await set_up_demo(data, addresses, console.say)
            data.write_addresses(addresses)
            seconds = time.monotonic() - began
            if demo:
                await play_and_show(data, patient=None, as_json=False)
            _show(data, addresses, seconds)
            await asyncio.Event().wait()
        finally:
            data.forget_addresses()


def _show(data: DataDirectory, addresses: Addresses, seconds: float) -> None:
    """Print where it serves, and two lines that call it as they stand."""
    careline = shlex.join((sys.executable, "-m", "careline_cli", "--data-dir", str(data.root)))
    tenant = f"-H 'careline-tenant: {DEMO_TENANT}'"
    authorization = f'-H "authorization: Bearer $({careline} token operator)"'
    lines = [f"Careline serves since {seconds:.1f} s after its start, on {data.root}", ""]
    for service, address in addresses.services.items():
        lines.append(f"  {service:<16} {address}   health {addresses.health[service]}")
    lines += [
        "",
        "Call it from another terminal, by reflection:",
        "",
        f"  {careline} call {EXAMPLE} '{{}}'",
        "",
        (
            f"  grpcurl -plaintext -max-time 10 {tenant} {authorization} "
            f"-d '{{}}' {addresses.services['routing']} {EXAMPLE}"
        ),
        "",
        "Ctrl-C stops all of it.",
    ]
    console.OUT.print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)


def _detach(data: DataDirectory) -> None:
    """Start a supervisor of its own and return once everything serves."""
    data.create()
    data.forget_addresses()  # a killed platform's: this one serves when its own are there
    log = data.logs / "supervisor.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - this very program
            (sys.executable, "-m", "careline_cli", "--data-dir", str(data.root), "up"),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            cwd=data.root,
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        )
    deadline = time.monotonic() + DETACH_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DataDirectoryError(f"the platform did not start; see the end of {log}")
        if data.addresses_file.exists():
            console.say(f"serving on {data.root}, services on {HOST}; stop it with: careline down")
            return
        time.sleep(POLL_SECONDS)
    process.terminate()
    raise DataDirectoryError(f"not ready after {DETACH_SECONDS:g} s; see the end of {log}")
