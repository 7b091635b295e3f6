"""All figures of `careline bench store`, one family after the other on one server."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import commit, machine
from benchmarks.report import Report
from benchmarks.store.append import measure_appends
from benchmarks.store.ceilings import measure_ceilings
from benchmarks.store.database import database
from benchmarks.store.events import sealed_bytes
from benchmarks.store.reading import measure_reads
from benchmarks.store.rebuilding import measure_rebuild
from benchmarks.store.relaying import measure_relay
from benchmarks.store.scale import FULL, QUICK
from benchmarks.store.sealing_share import measure_sealing
from benchmarks.store.sizes import measure_sizes
from benchmarks.store.subscribing import measure_subscriber


async def run(folder: Path, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Measure on servers below `folder`; `quick` shows that it runs, its figures say nothing."""
    scale = QUICK if quick else FULL
    on = machine()
    data = await sealed_bytes()
    async with database(folder) as server:
        settings = await server.settings()
        appends = await measure_appends(server, scale, data, say)
        ceilings = await measure_ceilings(server, scale, data)
        say("commit to subscriber")
        subscriber = await measure_subscriber(server, scale, data)
        say("sealing's share")
        sealing = await measure_sealing(server, scale)
        say("relaying to JetStream")
        relays = await measure_relay(server, folder, scale, data)
        say("reading the whole log")
        reads = await measure_reads(server, scale, data)
        say("rebuilding a projection")
        rebuild = await measure_rebuild(server, scale, reads.ours.rate)
        sizes = await measure_sizes(server, scale, data, say)
    figures = (
        *appends.figures(),
        *ceilings.figures(),
        *relays,
        *sizes.figures(),
        *reads.figures(),
        rebuild,
        *subscriber,
        *sealing,
    )
    server_line = ", ".join(f"{name} {value}" for name, value in settings.items())
    notes = (
        f"the oracle's follower saw {appends.seen.events} events once and in order",
        "ratios are medians over rounds of rates in the same round",
    )
    return Report("store", f"{on}; PostgreSQL {server_line}", commit(), figures, notes)
