"""Runs a platform on this machine until it is told to stop."""

import asyncio
import shlex
import signal
import sys
import time

from careline_cli import console
from careline_cli.demo_setup import set_up_demo
from careline_cli.platform.data_directory import Addresses, DataDirectory
from careline_cli.platform.running_platform import running_platform
from careline_cli.show_contact import play_and_show
from careline_cli.tenant import DEMO_TENANT

EXAMPLE = "careline.routing.v1.QueueService/ListQueues"


async def serve_until_stopped(data: DataDirectory, *, demo: bool) -> None:
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
    lines = [f"Careline serves, {seconds:.1f} s after its start, on {data.root}", ""]
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
