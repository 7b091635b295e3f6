"""Reads the trail's rows once they have all that the log has."""

from collections.abc import Mapping
from typing import Final

from eventstore.event_log import EventLog
from eventstore.projection_progress import ProjectionBehind
from eventstore.projection_runner import ProjectionRunner
from messaging.handling import RetryLater
from messaging.retraction import Retraction
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.adapters import tables

CATCH_UP_SECONDS: Final = 10.0


class CompleteTrail:
    """The rows of `action`, of which every entry has one."""

    def __init__(self, log: EventLog, projection: ProjectionRunner) -> None:
        self._log = log
        self._projection = projection

    async def entries_beyond(
        self, connection: AsyncConnection, retraction: Retraction
    ) -> Mapping[str, int]:
        """Count by tenant all entries of retracted events; the connection sees all tenants.

        Raises RetryLater while the rows are behind the log.
        """
        try:
            head = await self._log.head()
            await self._projection.wait_for(head.position, CATCH_UP_SECONDS)
        except ProjectionBehind as error:
            raise RetryLater("TRAIL_BEHIND") from error
        action = tables.action.c
        query = (
            select(action.tenant, func.count().label("number"))
            .where(
                action.service == retraction.source,
                action.epoch <= retraction.from_epoch,
                action.position > retraction.after,
                action.position <= retraction.until,
            )
            .group_by(action.tenant)
        )
        rows = (await connection.execute(query)).all()
        return {row.tenant: row.number for row in rows}
