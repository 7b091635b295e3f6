"""A service's read model rebuilt and switched as the command does it, beside a running service."""

from typing import Any

from eventstore.postgres.build_owner import BuildOwner, OwnedSchema
from eventstore.rebuilding.rebuild import Rebuild, Rebuilt
from eventstore.rebuilding.replay import ReadModelSource
from eventstore.rebuilding.switch import switch
from eventstore.testing.build_steps import ignored
from runtime.service_runtime import ServiceRuntime
from sqlalchemy.ext.asyncio import AsyncEngine


class ReadModel:
    """One projection of a service that runs in this process; `superuser` becomes its owner."""

    def __init__(self, runtime: ServiceRuntime[Any], superuser: AsyncEngine, name: str) -> None:
        service = runtime.service
        self._owner = BuildOwner(
            OwnedSchema(superuser, service, f"{service}_owner", f"{service}_runtime")
        )
        self._source = ReadModelSource(
            runtime.log, runtime.queries, service, runtime.projections[name]
        )

    async def rebuilt(self) -> Rebuilt:
        return await Rebuild(self._source, self._owner, ignored).run()

    async def switched(self, number: int | None = None) -> None:
        await switch(self._source, self._owner, number, ignored)
