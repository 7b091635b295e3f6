"""grpc.health.v1 by dependency: who needs what is away does not serve, and says nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as grpc_health

from runtime.incident import type_name

_log = logging.getLogger(__name__)
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
LIVENESS: Final = "liveness"
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something a service can not do without.

    `probe` raises when it is away. `name` can be asked for at the health service, as "nats".
    """

    name: str
    probe: Callable[[], Awaitable[None]]


class Health:
    """Probes dependencies in the background and sets the status of the services that need them.

    "" serves while everything serves that this process has, and is not draining: readiness.
    "liveness" serves as long as the process lives. A dependency has a status under its own name.
    """

    def __init__(
        self,
        dependencies: Sequence[Dependency],
        *,
        interval: float = 1.0,
        timeout: float = 2.0,
    ) -> None:
        self.servicer = grpc_health.HealthServicer()
        self._dependencies = dependencies
        self._interval = interval
        self._timeout = timeout
        self._needs: dict[str, frozenset[str]] = {}
        self._up: dict[str, bool] = {}
        self._draining = False

    async def add_service(self, service: str, needs: Iterable[str]) -> None:
        """Let a service be asked for; raises ValueError for a need that nobody probes."""
        names = frozenset(needs)
        unknown = names - {dependency.name for dependency in self._dependencies}
        if unknown:
            raise ValueError(f"{service} needs {sorted(unknown)}, which no dependency is named")
        self._needs[service] = names
        await self._publish()

    async def run(self) -> None:
        """Probe every dependency, each at its own pace, without end; returns if there is none."""
        async with asyncio.TaskGroup() as group:
            for dependency in self._dependencies:
                group.create_task(self._watch(dependency))

    async def probe_all(self) -> None:
        """Probe every dependency once, side by side."""
        await asyncio.gather(*(self._look(dependency) for dependency in self._dependencies))

    async def stop_serving(self) -> None:
        """Say NOT_SERVING for everything but liveness from now on."""
        self._draining = True
        for dependency in self._up:
            await self.servicer.set(dependency, _NOT_SERVING)
        await self._publish()

    def state(self) -> Mapping[str, bool]:
        """Tell which dependencies are there, as of their last probe."""
        return dict(self._up)

    async def _watch(self, dependency: Dependency) -> None:
        while True:
            await self._look(dependency)
            await asyncio.sleep(self._interval)

    async def _look(self, dependency: Dependency) -> None:
        error: str | None = None
        try:
            async with asyncio.timeout(self._timeout):
                await dependency.probe()
        except Exception as raised:  # noqa: BLE001  whatever a probe raises means that it is away
            error = type_name(raised)
        await self._note(dependency.name, error)

    async def _note(self, name: str, error: str | None) -> None:
        up = error is None
        if self._up.get(name) is up:
            return
        if not up:
            level = logging.ERROR if name in self._up else logging.INFO
            _log.log(level, "dependency is away", extra={"dependency": name, "error": error})
        elif name in self._up:
            _log.info("dependency is back", extra={"dependency": name})
        self._up[name] = up
        if not self._draining:
            await self.servicer.set(name, _SERVING if up else _NOT_SERVING)
        await self._publish()

    async def _publish(self) -> None:
        await self.servicer.set(LIVENESS, _SERVING)
        ready = not self._draining
        for service, needs in self._needs.items():
            serving = not self._draining and all(self._up.get(need, False) for need in needs)
            await self.servicer.set(service, _SERVING if serving else _NOT_SERVING)
            ready = ready and serving
        await self.servicer.set("", _SERVING if ready else _NOT_SERVING)
