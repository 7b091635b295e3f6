"""How far the trail has followed each service's log, and waiting for it."""

import asyncio
from collections.abc import Iterable
from typing import Final

from careline.audit.v1.audit_service_pb2 import GetCoverageResponse
from runtime.refusal import Refused, field_invalid
from runtime.request_context import current_request
from sqlalchemy.ext.asyncio import AsyncEngine

from audit.adapters import queries

POLL_SECONDS: Final = 0.05
SHARE_OF_DEADLINE: Final = 0.9
"""The rest is for the refusal to reach its caller."""


class Coverage:
    """Reads the coverage that the projection writes, of the services whose logs audit follows."""

    def __init__(self, engine: AsyncEngine, sources: Iterable[str]) -> None:
        self._engine = engine
        self._sources = frozenset(sources)

    async def of_all(self) -> list[GetCoverageResponse.Coverage]:
        async with self._engine.connect() as connection:
            rows = {row.service: row for row in await queries.coverage(connection)}
        answer = []
        for service in sorted(self._sources):
            one = GetCoverageResponse.Coverage(service=service)
            if row := rows.get(service):
                one.epoch, one.position = row.epoch, row.position
                one.take_in_time.FromDatetime(row.take_in_time)
            answer.append(one)
        return answer

    async def reaches(self, service: str, position: int) -> None:
        """Wait within the call's deadline until a log is in up to a position."""
        if service not in self._sources:
            raise field_invalid("at_least_service", "the name of a service")
        try:
            async with asyncio.timeout(current_request().remaining() * SHARE_OF_DEADLINE):
                # Another process may be the one that writes it.
                while await self._position(service) < position:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise Refused("DEPENDENCY_UNAVAILABLE", retry_after=1) from None

    async def _position(self, service: str) -> int:
        async with self._engine.connect() as connection:
            rows = await queries.coverage(connection)
        return next((row.position for row in rows if row.service == service), 0)
