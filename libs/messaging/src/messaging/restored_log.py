"""Follows a source whose log was restored: what still stands stays done, the rest is retracted.

A restored log gives no position out again that it had given out before. So of what a consumer
handled stands what the log has up to the consumer's position, and nothing else is there.
"""

import logging
from collections.abc import AsyncGenerator

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from messaging.consumer_position import ConsumerPosition, Place
from messaging.handling import Handling, RetryLater
from messaging.log_reader import LogReader
from messaging.names import Consumption
from messaging.received_event import ReceivedEvent
from messaging.retraction import Retraction
from messaging.statements import load_statements
from messaging.stuck import Reason, Stuck

_log = logging.getLogger(__name__)


class RestoredLog:
    """Brings a consumer from one epoch of its source into the next."""

    def __init__(
        self,
        engine: AsyncEngine,
        schema: str,
        consumption: Consumption,
        handling: Handling,
        reader: LogReader,
    ) -> None:
        self._engine = engine
        self._statements = load_statements(schema)
        self._consumption = consumption
        self._position = ConsumerPosition(schema, consumption)
        self._handling = handling
        self._reader = reader

    async def enter(self, place: Place, epoch: int) -> Place:
        """Move to the last handled event that stands, in the new epoch, and return that place.

        What was handled beyond it is noted and retracted in the same transaction. Raises Stuck:
        RETRACTION_NEEDED by a service that has no way to do so until people have settled it.
        """
        stands = Place(epoch, await still_stands(self._reader, place, epoch))
        retraction = Retraction(
            self._consumption.source, place.epoch, epoch, stands.position, place.position
        )
        if stands.position < place.position and not await self._may_go_on(retraction):
            raise Stuck(
                Reason.RETRACTION_NEEDED,
                f"epoch {place.epoch}, positions above {retraction.after} up to {retraction.until}",
            )
        async with self._engine.begin() as connection:
            await self._position.move(connection, place, stands)
            if stands.position < place.position:
                await self._retract(connection, retraction)
        _log.warning(
            "the source's log was restored: up to %d of %d handled stands",
            stands.position,
            place.position,
            extra={"consumer": self._consumption.durable, "source": self._consumption.source},
        )
        return stands

    async def _may_go_on(self, retraction: Retraction) -> bool:
        """Note the retraction for good; tell whether the service undoes it, or people have."""
        async with self._engine.begin() as connection:
            noted = await connection.exec_driver_sql(
                self._statements["note_retraction"],
                (*self._key(retraction), retraction.after, retraction.until),
            )
            return bool(noted.one().is_settled) or self._handling.retracts

    async def _retract(self, connection: AsyncConnection, retraction: Retraction) -> None:
        try:
            await self._handling.retract(connection, retraction)
        except RetryLater as later:
            raise Stuck(Reason.RETRY_LATER, later.reason) from later
        key = self._key(retraction)
        await connection.exec_driver_sql(
            self._statements["discard_retracted_dead_letters"],
            (*key[:3], retraction.after),
        )
        await connection.exec_driver_sql(self._statements["settle_retraction"], key)

    def _key(self, retraction: Retraction) -> tuple[str, str, int, int]:
        durable = self._consumption.durable
        return durable, retraction.source, retraction.from_epoch, retraction.to_epoch


async def still_stands(reader: LogReader, place: Place, epoch: int) -> int:
    """Return the position of the last event up to a place that the log of a newer epoch has.

    Raises Stuck when the log cannot be read, or is of another epoch.
    """
    try:
        head = await reader.head()
        following = await _first_after(reader, place.position, head.position)
    # A reader calls another service: whatever it raises, this is tried again.
    except Exception as error:
        raise Stuck(Reason.GAP, type(error).__name__) from error
    if head.epoch != epoch:
        raise Stuck(Reason.OTHER_EPOCH, f"{epoch} to {head.epoch}")
    if head.position <= place.position:
        return head.position
    if following is None or following.epoch != epoch:
        raise Stuck(Reason.GAP, "the source's log contradicts its head")
    return following.previous_position


async def _first_after(reader: LogReader, position: int, head: int) -> ReceivedEvent | None:
    if head <= position:
        return None
    events = reader.read(position, head)
    try:
        return await anext(events, None)
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
