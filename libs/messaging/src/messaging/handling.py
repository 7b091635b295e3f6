"""Hands an event to a service's handler, in the transaction and under the tenant it belongs to."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from sqlalchemy.ext.asyncio import AsyncConnection

from messaging.received_event import ReceivedEvent
from messaging.retraction import Retraction
from messaging.statements import load_statements

ALL_TENANTS = "*"
Handler = Callable[[AsyncConnection, ReceivedEvent], Awaitable[None]]
Retract = Callable[[AsyncConnection, Retraction], Awaitable[None]]
Around = Callable[[ReceivedEvent], AbstractAsyncContextManager[None]]


class RetryLater(Exception):
    """Raised by a handler that waits for something: the event is neither done nor at fault.

    It is tried again, with back-off and without end. `reason` is a code as KEYRING_AWAY.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HandlerFailed(Exception):
    """A handler raised; its error is the cause."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error_type = type(error).__name__
        # A domain's refusal says why by a code (`Rejected.reason`); other texts may hold values.
        reason = getattr(error, "reason", None)
        self.reason = reason if isinstance(reason, str) and reason.isidentifier() else "FAILED"


class Handling:
    """A handler; it writes on the connection it is given and leaves the transaction to the caller.

    Each event is handled under its tenant alone: row-level security hides all others' rows.
    `retract` undoes, over all tenants, what was done for events that a restored log lost; a service
    without one needs people for that.
    """

    def __init__(
        self,
        schema: str,
        handler: Handler,
        around: Around | None = None,
        *,
        retract: Retract | None = None,
    ) -> None:
        self._enter_tenant = load_statements(schema)["enter_tenant"]
        self._handler = handler
        self._around = around or _nothing_around
        self._retract = retract

    @property
    def retracts(self) -> bool:
        return self._retract is not None

    async def retract(self, connection: AsyncConnection, retraction: Retraction) -> None:
        """Undo what was done for events that are no more. Raises what the service's hook raises."""
        await connection.exec_driver_sql(self._enter_tenant, (ALL_TENANTS,))
        if self._retract is not None:
            await self._retract(connection, retraction)

    async def handle(self, connection: AsyncConnection, events: Sequence[ReceivedEvent]) -> None:
        """Handle events in order. Raises HandlerFailed, RetryLater, or what the server raises."""
        tenant = ""
        for event in events:
            if event.stream.tenant != tenant:
                tenant = event.stream.tenant
                await connection.exec_driver_sql(self._enter_tenant, (tenant,))
            await self._one(connection, event)

    async def _one(self, connection: AsyncConnection, event: ReceivedEvent) -> None:
        try:
            async with self._around(event):
                await self._handler(connection, event)
        except RetryLater:
            raise
        # A handler is its service's code: what it raises is judged by who called.
        except Exception as error:
            if connection.invalidated or connection.closed:
                raise
            raise HandlerFailed(error) from error


def _nothing_around(_event: ReceivedEvent) -> AbstractAsyncContextManager[None]:
    return nullcontext()
