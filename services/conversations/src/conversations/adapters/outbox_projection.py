"""Keeps what frontends are to send out: the messages that wait, and where to."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from careline.conversations.events.v1.events_pb2 import (
    ChannelJoined,
    ConversationClosed,
    ConversationStarted,
    DeliveryQueued,
    DeliveryReported,
    MessagePosted,
)
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from eventstore.projection import ReadModel
from eventstore.projection import Row as Stored
from runtime.event_codec import LogCodec
from sealing.keyring import SubjectErased
from sealing.value_sealer import Cell, ValueSealer
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.adapters import outbox_rows as rows
from conversations.adapters.cells import address_cell, text_cell
from conversations.adapters.event_messages import clear_part
from conversations.adapters.opened_outbox import Erasures, opened_rows
from conversations.adapters.tables import channel_address, outbox
from conversations.domain.conversation import AuthorKind, DeliveryStatus

KEPT_AFTER_SENDING: Final = timedelta(hours=24)
"""As long may a network take to report what became of a message that was sent."""
_KINDS: Final = (
    ConversationStarted,
    ChannelJoined,
    MessagePosted,
    DeliveryQueued,
    DeliveryReported,
    ConversationClosed,
)
_Opened = dict[UUID, str]


class OutboxProjection:
    """Follows the log in order. Times come from it alone, so that each replay gives the same rows.

    What was erased is not sent. `lifetime` is how long a message may wait for its frontend.
    """

    name: Final = "outbox"
    version: Final = 1
    types: Final = frozenset(kind.DESCRIPTOR.full_name for kind in _KINDS)
    # How long a message waits is a setting, which may have been another when it was queued.
    model: Final = ReadModel(
        files("conversations.adapters") / "outbox_projection.sql",
        (channel_address, outbox),
        underived=frozenset({"outbox.expire_time"}),
    )

    def __init__(
        self,
        log: EventLog,
        codec: LogCodec,
        values: ValueSealer,
        erasures: Erasures,
        *,
        lifetime: timedelta,
    ) -> None:
        self._log = log
        self._codec = codec
        self._values = values
        self._erasures = erasures
        self._lifetime = lifetime

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        opened = await self._open([event for event in events if _is_wanted(clear_part(event))])
        said: dict[str, str] = {}
        for recorded in events:
            stream = recorded.stream
            match event := clear_part(recorded):
                case ConversationStarted() | ChannelJoined():
                    await self._keep_address(connection, recorded, event.channel, opened)
                case MessagePosted() if recorded.id in opened:
                    said[event.message] = opened[recorded.id]
                case DeliveryQueued():
                    text = said.pop(event.message, "") or await self._text_before(recorded)
                    await self._queue(connection, recorded, event, text)
                case DeliveryReported():
                    status, time = DeliveryStatus(event.status), event.report_time.ToDatetime(UTC)
                    await rows.report(connection, stream, event.delivery, status, time)
                case ConversationClosed():
                    await rows.end(connection, stream)
                case _:
                    pass
        await rows.forget_sent(connection, events[-1].recorded_at - KEPT_AFTER_SENDING)

    async def opened(self, table: str, rows: Sequence[Stored]) -> Sequence[Stored]:
        """Open texts and addresses, which each build seals anew."""
        return await opened_rows(self._values, self._erasures, table, rows)

    async def _open(self, events: Sequence[RecordedEvent]) -> _Opened:
        """Give address or text by event, without what was erased."""
        opened: dict[UUID, Any] = {
            event.id: one.message
            for event, one in zip(events, await self._codec.open(events), strict=True)
            if not one.erased
        }
        return {
            event_id: message.text if isinstance(message, MessagePosted) else message.address
            for event_id, message in opened.items()
        }

    async def _keep_address(
        self, connection: AsyncConnection, recorded: RecordedEvent, channel: str, opened: _Opened
    ) -> None:
        address = opened.get(recorded.id, "")
        sealed = await self._sealed(recorded, address, address_cell(recorded.stream.name, channel))
        if sealed is not None:
            await rows.keep_address(connection, recorded.stream, channel, sealed)

    async def _queue(
        self,
        connection: AsyncConnection,
        recorded: RecordedEvent,
        queued: DeliveryQueued,
        text: str,
    ) -> None:
        sealed = await self._sealed(recorded, text, text_cell(queued.delivery))
        if sealed is not None:
            row: dict[str, object] = {
                "tenant": recorded.stream.tenant,
                "delivery": queued.delivery,
                "conversation": recorded.stream.name,
                "message": queued.message,
                "channel": queued.channel,
                "frontend": queued.frontend,
                "position": recorded.position,
                "sealed_text": sealed,
                "expire_time": recorded.recorded_at + self._lifetime,
            }
            await rows.queue(connection, row)

    async def _text_before(self, recorded: RecordedEvent) -> str:
        """Read what is queued from the event before, which was in an earlier page."""
        before = self._log.read_stream(
            recorded.stream, from_revision=recorded.revision - 1, limit=1
        )
        opened = await self._open([event async for event in before])
        return next(iter(opened.values()), "")

    async def _sealed(self, recorded: RecordedEvent, value: str, cell: Cell) -> bytes | None:
        """Seal under the conversation's key; None for what was erased, now or before."""
        if not value:
            return None
        stream = recorded.stream
        try:
            return await self._values.seal(
                value.encode(), tenant=stream.tenant, subject=stream.name, cell=cell
            )
        except SubjectErased:
            return None


def _is_wanted(event: Any) -> bool:  # noqa: ANN401  one of _KINDS, which no runtime type is
    """Tell whether the event says what is to be sent, or where to."""
    if isinstance(event, MessagePosted):
        return event.author_kind != AuthorKind.PATIENT
    return isinstance(event, (ConversationStarted, ChannelJoined))
