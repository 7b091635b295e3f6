"""Events that a consumer gave up on: listed, tried again, discarded with a reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from eventstore.stream_id import StreamId
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from messaging.handling import HandlerFailed, Handling
from messaging.names import Consumption
from messaging.received_event import ReceivedEvent
from messaging.statements import load_statements

_ALL_TENANTS = "*"
_PAGE = 100
_REASON_LENGTH = 200
_TRANSACTION_SECONDS = 60.0


class DeadLetterAbsent(Exception):
    """No such dead letter, it is another consumer's or tenant's, or it is being retried."""

    def __init__(self) -> None:
        super().__init__("no such dead letter, or somebody has it in hand: list them again")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that `consumer` failed to handle `attempts` times, the last time for `reason`.

    `reason` is a code and `error_type` a class's name. The event is sealed as it came.
    """

    id: int
    consumer: str
    event: ReceivedEvent
    reason: str
    error_type: str
    attempts: int
    parked_at: datetime
    discarded_at: datetime | None
    discard_reason: str | None


class DeadLetters:
    """The dead letters in a service's schema, of one tenant or of all."""

    def __init__(self, engine: AsyncEngine, schema: str, tenant: str = _ALL_TENANTS) -> None:
        self._engine = engine
        self._statements = load_statements(schema)
        self._tenant = tenant

    async def list(
        self,
        *,
        after: int = 0,
        limit: int = _PAGE,
        consumer: str | None = None,
        with_discarded: bool = False,
    ) -> list[DeadLetter]:
        """Return a page of them, in the order they were parked, after an id."""
        async with self._transaction() as connection:
            found = await connection.exec_driver_sql(
                self._statements["list_dead_letters"], (after, limit, consumer, with_discarded)
            )
            return [_dead_letter(row) for row in found]

    async def retry(self, letter_id: int, consumption: Consumption, handling: Handling) -> None:
        """Handle one again and forget it, in one transaction.

        Raises DeadLetterAbsent; HandlerFailed when it failed again, which is noted.
        """
        try:
            async with self._transaction() as connection:
                letter = await self._take(connection, letter_id, consumption.durable)
                await connection.exec_driver_sql(
                    self._statements["remove_dead_letter"], (letter_id,)
                )
                await handling.handle(connection, [letter.event])
        except HandlerFailed as failed:
            async with self._transaction() as connection:
                await connection.exec_driver_sql(
                    self._statements["note_failed_retry"],
                    (letter_id, failed.reason, failed.error_type),
                )
            raise

    async def retry_all(self, consumption: Consumption, handling: Handling) -> tuple[int, int]:
        """Try all of a consumer again, oldest first; return how many went well and how many not."""
        well = failed = last = 0
        while page := await self.list(after=last, consumer=consumption.durable):
            for letter in page:
                last = letter.id
                try:
                    await self.retry(letter.id, consumption, handling)
                except (HandlerFailed, DeadLetterAbsent):
                    failed += 1
                else:
                    well += 1
        return well, failed

    async def discard(self, letter_id: int, reason: str) -> None:
        """Give one up: it stays, with the reason (no patient's data), but is never handled.

        Raises DeadLetterAbsent, and ValueError for a reason that is empty or over 200 characters.
        """
        if not 0 < len(reason.strip()) <= _REASON_LENGTH:
            raise ValueError(f"say why it is discarded, in 1 to {_REASON_LENGTH} characters")
        async with self._transaction() as connection:
            found = await connection.exec_driver_sql(
                self._statements["discard_dead_letter"], (letter_id, reason.strip())
            )
            if found.first() is None:
                raise DeadLetterAbsent

    async def _take(self, connection: AsyncConnection, letter_id: int, consumer: str) -> DeadLetter:
        found = await connection.exec_driver_sql(
            self._statements["take_dead_letter"], (letter_id, consumer)
        )
        row = found.first()
        if row is None:
            raise DeadLetterAbsent
        return _dead_letter(row)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        async with asyncio.timeout(_TRANSACTION_SECONDS), self._engine.begin() as connection:
            await connection.exec_driver_sql(self._statements["enter_tenant"], (self._tenant,))
            yield connection


class DeadLetterBox:
    """Where a consumer parks what it gives up on."""

    def __init__(self, schema: str, consumption: Consumption) -> None:
        self._statements = load_statements(schema)
        self._consumption = consumption

    async def park(
        self,
        connection: AsyncConnection,
        event: ReceivedEvent,
        failed: HandlerFailed,
        attempts: int,
    ) -> None:
        """Park an event, in the transaction that moves the consumer past it."""
        await connection.exec_driver_sql(self._statements["enter_tenant"], (event.stream.tenant,))
        await connection.exec_driver_sql(
            self._statements["park_dead_letter"],
            (
                self._consumption.durable,
                event.source,
                event.epoch,
                event.position,
                event.previous_position,
                event.stream.tenant,
                event.stream.name,
                event.revision,
                event.id,
                event.type,
                event.data,
                event.metadata,
                event.recorded_at,
                event.traceparent,
                event.tracestate,
                failed.reason,
                failed.error_type,
                attempts,
            ),
        )


def _dead_letter(row: Row[tuple[object, ...]]) -> DeadLetter:
    event = ReceivedEvent(
        source=row.source,
        epoch=row.epoch,
        position=row.position,
        previous_position=row.previous_position,
        stream=StreamId(row.tenant, row.stream),
        revision=row.revision,
        id=row.event_id,
        type=row.type,
        data=row.data,
        metadata=row.metadata,
        recorded_at=row.recorded_at,
        traceparent=row.traceparent,
        tracestate=row.tracestate,
    )
    return DeadLetter(
        id=row.id,
        consumer=row.consumer,
        event=event,
        reason=row.reason,
        error_type=row.error_type,
        attempts=row.attempts,
        parked_at=row.parked_at,
        discarded_at=row.discarded_at,
        discard_reason=row.discard_reason,
    )
