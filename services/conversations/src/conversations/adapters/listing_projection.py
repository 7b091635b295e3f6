"""Keeps the rows that conversations are listed from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from importlib.resources import files
from typing import Any, Final

from careline.conversations.events.v1.events_pb2 import (
    ChannelJoined,
    ControlPassed,
    ConversationClosed,
    ConversationStarted,
    ConversationWrappedUp,
    PatientLinked,
)
from eventstore.event import RecordedEvent
from eventstore.projection import ReadModel
from eventstore.projection import Row as Stored
from sqlalchemy import Text, all_, and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.adapters.event_messages import EVENT_TYPES, clear_part
from conversations.adapters.tables import conversation, conversation_party
from conversations.domain.conversation import Event, HolderKind, Status

_Key = tuple[str, str]
_UNCHANGED: Final = (
    "state",
    "holder_kind",
    "holder",
    "epoch",
    "patient",
    "caller_level",
    "disposition",
    "close_time",
)


@dataclass(slots=True)
class _Change:
    """What a page changes of one conversation; a value that is not there stays as it is."""

    revision: int = 0
    started: dict[str, Any] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    parties: list[str] = field(default_factory=list)


class ListingProjection:
    """One row a conversation, and one for each who sees it."""

    name: Final = "listing"
    version: Final = 1
    types: Final = EVENT_TYPES
    model: Final = ReadModel(
        files("conversations.adapters") / "listing_projection.sql",
        (conversation, conversation_party),
    )

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        """Write each conversation once a page, however much happened in it."""
        changes: dict[_Key, _Change] = {}
        for event in events:
            change = changes.setdefault((event.stream.tenant, event.stream.name), _Change())
            change.revision = event.revision
            _note(change, clear_part(event))
        await _insert(connection, changes)
        await _update(connection, changes)
        await _join(connection, changes)
        await _admit(connection, changes)

    async def opened(self, table: str, rows: Sequence[Stored]) -> Sequence[Stored]:
        """Give the rows as they are: nothing in them is sealed anew."""
        del table
        return rows


def _note(change: _Change, event: Event) -> None:
    match event:
        case ConversationStarted():
            change.started = {
                "channels": [event.channel],
                "create_time": event.start_time.ToDatetime(UTC),
            }
            change.parties.append(event.frontend)
        case ChannelJoined():
            change.channels.append(event.channel)
            change.parties.append(event.frontend)
        case ControlPassed():
            change.values |= {
                "holder_kind": event.holder_kind,
                "holder": event.holder,
                "epoch": event.epoch,
            }
            if event.holder_kind == HolderKind.AGENT:
                change.parties.append(event.holder)
        case PatientLinked():
            change.values |= {"patient": event.patient, "caller_level": event.caller_level}
        case ConversationWrappedUp():
            change.values |= {"state": Status.WRAPPED_UP, "disposition": event.disposition}
        case ConversationClosed():
            change.values |= {
                "state": Status.CLOSED,
                "close_time": event.close_time.ToDatetime(UTC),
            }
        case _:
            pass


async def _insert(connection: AsyncConnection, changes: dict[_Key, _Change]) -> None:
    rows = [
        {
            "tenant": tenant,
            "conversation": name,
            "state": Status.OPEN,
            "holder_kind": HolderKind.QUEUE,
            "holder": "",
            "epoch": 0,
            "patient": "",
            "caller_level": "",
            "disposition": "",
            "revision": change.revision,
            **change.started,
        }
        for (tenant, name), change in changes.items()
        if change.started is not None
    ]
    if rows:
        await connection.execute(insert(conversation), rows)


async def _update(connection: AsyncConnection, changes: dict[_Key, _Change]) -> None:
    new = {
        column: func.coalesce(
            bindparam(f"new_{column}", type_=conversation.c[column].type), conversation.c[column]
        )
        for column in _UNCHANGED
    }
    statement = conversation.update().where(_is_this())
    await connection.execute(
        statement.values(new | {"revision": bindparam("new_revision")}),
        [
            _this(key)
            | {f"new_{column}": change.values.get(column) for column in _UNCHANGED}
            | {"new_revision": change.revision}
            for key, change in changes.items()
        ],
    )


async def _join(connection: AsyncConnection, changes: dict[_Key, _Change]) -> None:
    """Add channels that have not joined before, in the order they do."""
    joined = [
        _this(key) | {"channel": channel}
        for key, change in changes.items()
        for channel in change.channels
    ]
    if joined:
        channels, channel = conversation.c.channels, bindparam("channel", type_=Text)
        await connection.execute(
            conversation.update()
            .where(and_(_is_this(), channel != all_(channels)))
            .values(channels=func.array_append(channels, channel)),
            joined,
        )


async def _admit(connection: AsyncConnection, changes: dict[_Key, _Change]) -> None:
    parties = [
        _this(key) | {"party": party}
        for key, change in changes.items()
        for party in dict.fromkeys(change.parties)
    ]
    if parties:
        rows = select(
            conversation.c.tenant,
            bindparam("party", type_=Text),
            conversation.c.create_time,
            conversation.c.conversation,
        ).where(_is_this())
        await connection.execute(
            insert(conversation_party)
            .from_select(["tenant", "principal", "create_time", "conversation"], rows)
            .on_conflict_do_nothing(),
            parties,
        )


def _is_this() -> Any:  # noqa: ANN401  SQLAlchemy's element
    return and_(
        conversation.c.tenant == bindparam("of_tenant"),
        conversation.c.conversation == bindparam("of_conversation"),
    )


def _this(key: _Key) -> dict[str, Any]:
    return {"of_tenant": key[0], "of_conversation": key[1]}
