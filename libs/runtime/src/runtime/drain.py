"""The graceful end of a process: first not serving, then no new calls, then none."""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from runtime.health import Health
from runtime.server import GrpcServer

_log = logging.getLogger(__name__)
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Notes the first SIGTERM or SIGINT, which asks to drain, and the second: stop at once."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear the signals within the block; one event loop a process."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.note)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def note(self) -> None:
        if self.first.is_set():
            self.second.set()
        self.first.set()


async def drain(
    server: GrpcServer,
    health: Health,
    signals: StopSignals,
    *,
    endpoint_delay: float,
    grace: float,
) -> None:
    """Say not serving, let endpoints learn of it, end calls within `grace` or at once if told."""
    _log.info("draining")
    await health.stop_serving()
    draining = asyncio.create_task(_drain(server, endpoint_delay, grace))
    at_once = asyncio.create_task(signals.second.wait())
    await asyncio.wait({draining, at_once}, return_when=asyncio.FIRST_COMPLETED)
    at_once.cancel()
    if not draining.done():
        _log.warning("stopping at once")
        draining.cancel()
        await asyncio.wait({draining})
        await server.stop(None)
    elif (error := draining.exception()) is not None:
        raise error


async def _drain(server: GrpcServer, endpoint_delay: float, grace: float) -> None:
    await asyncio.sleep(endpoint_delay)
    await server.stop(grace)
